/**
 * Messages as lines of JSON over a stream, one in each direction: the contract of `execution.ts` where one request can
 * carry both (a service binding's fetch).
 *
 * Owns: the messages, and cutting a stream into lines. The first line to the execution begins it; the stream ends when
 * the orchestrator lets go, or when either side dies.
 */
import type { ErrorValue } from "../errors.ts";
import type {
  AbortReason,
  ExecutionReport,
  ExecutionStart,
  ExecutionUpdate,
  ReportAnswer,
  StepInProgress,
} from "../execution.ts";

/** To the execution. */
export type LineToExecution =
  | { readonly type: "start"; readonly start: ExecutionStart }
  | { readonly type: "answer"; readonly answer: ReportAnswer }
  | { readonly type: "update"; readonly update: ExecutionUpdate }
  | { readonly type: "abort"; readonly reason: AbortReason }
  | { readonly type: "release" };

/** To the orchestrator. Reports are answered in their order. */
export type LineToOrchestrator =
  | { readonly type: "report"; readonly report: ExecutionReport }
  | { readonly type: "progress"; readonly steps: readonly StepInProgress[] }
  | { readonly type: "lost"; readonly error: ErrorValue };

interface ByteReader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
}

/** A line longer than this is refused, in characters: no message is. */
const LINE_CHARS_MAX = 2 ** 28;

/** The messages of a stream, one for each line: of the type that the other side, which is trusted, sends. */
export async function* readLines<Message>(reader: ByteReader): AsyncGenerator<Message, void> {
  const decoder = new TextDecoder();
  // Parts of a line whose end has not come: what was looked at is not looked at again, however many chunks a line takes.
  let begun: string[] = [];
  let chars = 0;
  for (;;) {
    const { done, value } = await reader.read();
    const text = done ? decoder.decode() : decoder.decode(value, { stream: true });
    const pieces = text.split("\n");
    const rest = pieces.pop() ?? "";
    for (const piece of pieces) {
      const line = begun.join("") + piece;
      begun = [];
      chars = 0;
      if (line !== "") yield JSON.parse(line);
    }
    if (done) return;
    begun.push(rest);
    chars += rest.length;
    if (chars > LINE_CHARS_MAX) throw new Error("a message is too long");
  }
}
