/**
 * Light or dark: the preference of the system, unless the reader chose.
 */
import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { readChoice, writeChoice } from "./ui/choice.ts";

const KEY = "holdfast.theme";
const dark = matchMedia("(prefers-color-scheme: dark)");
const theme = signal(readChoice(KEY) ?? (dark.matches ? "dark" : "light"));

export function startTheme(): void {
  apply();
  dark.addEventListener("change", () => {
    if (readChoice(KEY) === null) theme.value = dark.matches ? "dark" : "light";
    apply();
  });
}

function apply(): void {
  document.documentElement.dataset["theme"] = theme.value;
}

export function ThemeButton(): JSX.Element {
  const other = theme.value === "dark" ? "light" : "dark";
  const change = (): void => {
    writeChoice(KEY, other);
    theme.value = other;
    apply();
  };
  return (
    <button type="button" class="quiet" onClick={change} aria-label={`Use the ${other} theme`}>
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
        <path d="M8 2.5a5.5 5.5 0 1 0 0 11z" class="filled" />
        <path d="M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11" />
      </svg>
    </button>
  );
}
