/**
 * A question to a person, with which a workflow waits for a token (ASK1).
 *
 * Owns: its shape: as the author gives it, as it is stored, and as the HTTP API shows it in a list.
 */

export const ASK_RISKS = ["low", "medium", "high"] as const;

export type AskRisk = (typeof ASK_RISKS)[number];

/** An answer that people can choose. */
export interface AskChoice {
  readonly label: string;
  /** The payload of the answer, as JSON. */
  readonly value: unknown;
}

/** JSON Schema 2020-12. References stay inside the document. */
export type AskSchema = boolean | Readonly<Record<string, unknown>>;

export interface Ask {
  /** One line. */
  readonly title: string;
  /** Markdown. */
  readonly details?: string | undefined;
  /** An answer that does not fit it is refused, and the ask stays open (ASK4). */
  readonly schema?: AskSchema | undefined;
  /** Without a schema, an answer is the value of one of them. */
  readonly choices?: readonly AskChoice[] | undefined;
  /** People or roles. Lists filter by them; they decide nothing about who may answer. */
  readonly assignees?: readonly string[] | undefined;
  readonly risk?: AskRisk | undefined;
}

/** What is wrong with an answer. */
export interface AnswerIssue {
  /** A JSON pointer to the part; `""`: the whole answer. */
  readonly path: string;
  readonly message: string;
}

/** An open ask in a list over all runs (ASK6). Times are milliseconds since 1970. */
export interface Approval extends Ask {
  readonly runId: string;
  readonly workflowId: string;
  /** The id of the operation that waits. */
  readonly op: string;
  /** For callers with the scope `deliver`. */
  readonly tokenId?: string | undefined;
  readonly assignees: readonly string[];
  readonly openedAt: number;
  /** When the wait times out. */
  readonly until?: number | undefined;
  /** Details, schema or choices are too large for a list: `pendingWaitpoints` of the run's record has them. */
  readonly truncated?: true;
}
