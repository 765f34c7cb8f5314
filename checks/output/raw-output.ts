/**
 * Intercepts the output of the runner's process to stdout and stderr while tests run.
 *
 * The pool writes each message of workerd by one call of `write`, and processes of the pool are piped there too, so one
 * call is one message. The reporter prints through `print`, which is not intercepted.
 */
import { stripVTControlCharacters } from "node:util";

export interface RawOutput {
  print(text: string): void;
  restore(): void;
}

export function takeOverOutput(receive: (text: string) => void): RawOutput {
  const streams = [process.stdout, process.stderr];
  const originals = streams.map((stream) => stream.write.bind(stream));
  for (const stream of streams) {
    stream.write = (chunk: string | Uint8Array, ...rest: readonly unknown[]) => {
      receive(typeof chunk === "string" ? chunk : Buffer.from(chunk).toString());
      const done = rest.at(-1);
      if (typeof done === "function") queueMicrotask(() => done());
      return true;
    };
  }
  return {
    // The runner colours differences even if the output is a file.
    print: (text) => void originals[0]?.(inColour() ? text : stripVTControlCharacters(text)),
    restore: () => streams.forEach((stream, index) => Object.assign(stream, { write: originals[index] })),
  };
}

function inColour(): boolean {
  const { FORCE_COLOR, NO_COLOR } = process.env;
  return NO_COLOR === undefined && (process.stdout.isTTY || FORCE_COLOR !== undefined);
}
