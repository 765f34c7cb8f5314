/**
 * Colours of the terminal (CLI5).
 *
 * Owns: whether a stream gets colours, and the colour of each status. NO_COLOR and `--no-color` turn them off, FORCE_COLOR
 * turns them on; otherwise a terminal gets them.
 */
import { styleText } from "node:util";
import { Text, safe, visible } from "./safe-text.ts";

export type Style = Parameters<typeof styleText>[0];

export interface ColourChoice {
  readonly isTTY?: boolean | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `--no-color` */
  readonly off: boolean;
}

export function hasColours({ isTTY, env, off }: ColourChoice): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = env;
  if (off || (NO_COLOR !== undefined && NO_COLOR !== "")) return false;
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== "0" && FORCE_COLOR !== "false";
  return isTTY === true && TERM !== "dumb";
}

/** Makes a value visible and colours it. */
export type Paint = (style: Style, value: string | Text) => Text;

export function painter(colours: boolean): Paint {
  return (style, value) => {
    const text = value instanceof Text ? value.text : visible(value);
    return new Text(colours && text !== "" ? styleText(style, text, { validateStream: false }) : text);
  };
}

const STATUSES: Readonly<Record<string, readonly [mark: string, style: Style]>> = {
  pending: ["○", "dim"],
  running: ["●", "cyan"],
  waiting: ["◐", "blue"],
  retrying: ["↻", "yellow"],
  paused: ["‖", "yellow"],
  completed: ["✓", "green"],
  skipped: ["✓", "dim"],
  failed: ["✗", "red"],
  "not finished": ["–", "dim"],
  cancelled: ["⊘", "magenta"],
  compensated: ["↶", "magenta"],
  compensation_failed: ["✗", ["red", "bold"]],
};

export function statusStyle(status: string): Style {
  return STATUSES[status]?.[1] ?? "reset";
}

/** The mark of a status: the colour is not the only difference. */
export function statusMark(status: string): Text {
  return safe`${STATUSES[status]?.[0] ?? "·"}`;
}
