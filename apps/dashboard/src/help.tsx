/**
 * The keys of every page, and the dialog that lists all keys.
 *
 * Owns: what a key does. No single key acts on a run, and none is taken while the reader types.
 */
import { useLayoutEffect, useRef } from "preact/hooks";
import type { JSX } from "preact";
import { openAction, subject } from "./act/opened.ts";
import { KEYS } from "./keys.ts";
import { mine } from "./approvals/mine.ts";
import {
  approvalsPath,
  eventsPath,
  limitsPath,
  navigate,
  runsPath,
  schedulesPath,
  startPath,
  workflowsPath,
} from "./router.ts";
import { useBackdrop } from "./ui/modal.ts";
import { toggleTimeMode } from "./ui/time-format.ts";
import { isTyping } from "./ui/typing.ts";

export function HelpDialog(): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  // Before the first frame: a page that is shown takes its keys.
  useLayoutEffect(() => listen(() => dialog.current?.showModal()), []);
  useBackdrop(dialog);
  return (
    <>
      <button
        type="button"
        class="quiet"
        onClick={() => dialog.current?.showModal()}
        aria-label="Keys"
        aria-keyshortcuts="?"
      >
        ?
      </button>
      <dialog ref={dialog} aria-labelledby="help-title">
        <h2 id="help-title">Keys</h2>
        {KEYS.map(({ name, keys }) => (
          <section key={name}>
            <h3>{name}</h3>
            <dl class="keys">
              {keys.map(([key, meaning]) => (
                <div key={key}>
                  <dt>
                    <kbd>{key}</kbd>
                  </dt>
                  <dd>{meaning}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
        <form method="dialog">
          <button type="submit">Close</button>
        </form>
      </dialog>
    </>
  );
}

/** Returns the function that ends it. */
function listen(showHelp: () => void): () => void {
  const ended = new AbortController();
  let last = "";
  const actions: Readonly<Record<string, () => unknown>> = {
    "/": search,
    "?": showHelp,
    j: () => move("[data-row]", 1),
    k: () => move("[data-row]", -1),
    x: selectRow,
    t: toggleTimeMode,
    ".": () => subject.value !== undefined && openAction(subject.value),
    h: () => openTab(-1),
    l: () => openTab(1),
    "g r": () => navigate(runsPath()),
    "g a": () => navigate(approvalsPath({ assignee: mine.value })),
    "g l": () => navigate(limitsPath()),
    "g c": () => navigate(schedulesPath()),
    "g e": () => navigate(eventsPath()),
    "g w": () => navigate(workflowsPath()),
    "g s": () => navigate(startPath()),
  };
  addEventListener(
    "keydown",
    (event) => {
      const { key, ctrlKey, metaKey, altKey, target, defaultPrevented } = event;
      // The part of the page that has the focus took the key.
      if (defaultPrevented) return;
      if (key === "Escape" && target instanceof HTMLInputElement) return target.blur();
      if (ctrlKey || metaKey || altKey || isTyping(target) || document.querySelector("dialog[open]") !== null) return;
      const action = actions[`${last} ${key}`] ?? actions[key];
      last = key;
      if (action === undefined) return;
      event.preventDefault();
      action();
    },
    { signal: ended.signal },
  );
  return () => ended.abort();
}

/** Puts the focus in the search of the page. A page without one leads to the list of runs. */
function search(): void {
  const field = document.querySelector<HTMLInputElement>("#search");
  if (field === null) navigate(runsPath());
  else field.focus();
}

/** Moves the focus among the elements. It may be beside one, in its row. */
function move(selector: string, by: number): void {
  const all = [...document.querySelectorAll<HTMLElement>(selector)];
  const { activeElement } = document;
  const row = activeElement?.closest("tr") ?? null;
  const at = all.findIndex((one) => one === activeElement || (row !== null && row.contains(one)));
  all[at < 0 ? 0 : Math.min(Math.max(at + by, 0), all.length - 1)]?.focus();
}

function openTab(by: number): void {
  const all = [...document.querySelectorAll<HTMLElement>("[data-tab]")];
  const at = all.findIndex((tab) => tab.ariaCurrent === "page");
  if (at >= 0) all[at + by]?.click();
}

/** Selects the row that has the focus, or lets it go. */
function selectRow(): void {
  document.activeElement?.closest("tr")?.querySelector<HTMLInputElement>("[data-select]")?.click();
}
