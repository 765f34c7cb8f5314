/**
 * The contract of `execution.ts` as lines of JSON over two streams: the body of one request, and the body of its answer
 * (fetch of a service binding).
 *
 * Owns: the messages, and splitting a stream into lines. The first line to the execution starts it. The streams end when
 * the orchestrator sends `release`, or when either side dies.
 */
import type { ErrorValue } from "../errors.ts";
import type { ExecutionReport, ExecutionStart, ReportAnswer } from "../execution.ts";
import type { JournalEntry } from "../journal.ts";
import type { BodiesChanged, RpcNews } from "../rpc.ts";

/** To the execution. */
export type LineToExecution =
  | { readonly type: "start"; readonly start: ExecutionStart }
  | { readonly type: "answer"; readonly answer: ReportAnswer }
  | { readonly type: "page"; readonly entries: readonly JournalEntry[] }
  | RpcNews;

/** To the orchestrator. Reports are answered in their order, and so are requests for pages. */
export type LineToOrchestrator =
  | { readonly type: "page"; readonly after: number }
  | { readonly type: "report"; readonly report: ExecutionReport }
  | ({ readonly type: "bodies" } & BodiesChanged)
  | { readonly type: "lost"; readonly error: ErrorValue };

interface ByteReader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
  cancel(): Promise<void>;
}

/** The longest line in characters. No valid message is longer. */
const LINE_CHARS_MAX = 2 ** 28;

/**
 * Reads the messages of a stream, one per line. The other side is trusted to send values of the type `Message`. If the
 * reading ends before the stream, the stream is cancelled: nobody would read on, and its sender would wait.
 * @throws Error for a line that is too long or is not JSON.
 */
export async function* readLines<Message>(reader: ByteReader): AsyncGenerator<Message, void> {
  const decoder = new TextDecoder();
  // Parts of a line whose end has not arrived. A list, so a line of many chunks takes linear time.
  let unfinished: string[] = [];
  let chars = 0;
  let isDone = false;
  try {
    while (!isDone) {
      const { done, value } = await reader.read();
      isDone = done;
      const text = done ? decoder.decode() : decoder.decode(value, { stream: true });
      const pieces = text.split("\n");
      const rest = pieces.pop() ?? "";
      for (const piece of pieces) {
        const line = unfinished.join("") + piece;
        unfinished = [];
        chars = 0;
        if (line !== "") yield JSON.parse(line);
      }
      unfinished.push(rest);
      chars += rest.length;
      if (chars > LINE_CHARS_MAX) throw new Error("a message is too long");
    }
  } finally {
    // Not awaited: of a body that was cloned, it ends only when the clone is read or cancelled too.
    if (!isDone) reader.cancel().catch(() => {});
  }
}
