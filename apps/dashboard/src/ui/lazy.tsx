/**
 * A part of the page that is loaded when it is first shown.
 *
 * Owns: the state of the request, and what stands in its place. After a release the files of an open page may be gone: the
 * reader loads the page again.
 */
import { useEffect, useState } from "preact/hooks";
import type { ComponentType, JSX } from "preact";

/** Call it at the top level of a file: a part is loaded once. */
export function lazy<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  let loaded: ComponentType<Props> | undefined;
  return function Lazy(props: Props): JSX.Element {
    const [state, setState] = useState<"loading" | "loaded" | "failed">(loaded === undefined ? "loading" : "loaded");
    useEffect(() => {
      if (loaded !== undefined) return;
      load().then(
        (part) => {
          loaded = part;
          setState("loaded");
        },
        () => setState("failed"),
      );
    }, []);
    if (loaded !== undefined) {
      const Part = loaded;
      return <Part {...props} />;
    }
    return state === "failed" ? <Failed /> : <p class="muted loading">Loading…</p>;
  };
}

function Failed(): JSX.Element {
  return (
    <p class="note is-bad" role="alert">
      A part of this page cannot be loaded: the server is down or newer.{" "}
      <button type="button" class="link" onClick={() => location.reload()}>
        Load the page again
      </button>
    </p>
  );
}
