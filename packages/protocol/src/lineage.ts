/**
 * The lineage of an operation: a text that names an operation in every run that takes the same path to it.
 *
 * Owns: the form of a lineage, and what an execution gets to recognise operations of the run from which its run was
 * resumed (RES3). The occurrence in an operation's id depends on the order of parallel branches; the lineage does not.
 */
import { type OperationId, parseOperationId } from "./ids.ts";
import { hashText } from "./text-hash.ts";

/** An outcome of the resumed run, and where that run's function requested its operation. */
export interface InheritedPlace {
  /** The id of the operation in the resumed run. */
  readonly op: OperationId;
  /** Absent: the journal does not record it, and other operations have the same name. */
  readonly line?: string;
  /** The lineage of the operation after whose outcome it was requested; `""`: none. */
  readonly after: string;
  /** The number of leading elements of `StartLineage.silent` whose outcomes the function had received before. */
  readonly silent: number;
  /** The function requested several operations of this name after that outcome. */
  readonly shared?: true;
  /**
   * Other operations of that run have the same name: the number of outcomes that its function had received before it
   * requested this one. Absent in what earlier versions stored.
   */
  readonly received?: number;
  /** A caller gave the result by the name of the step (RES2). */
  readonly seeded?: true;
}

/** The part of the resumed run's journal that operations take over by their lineage. */
export interface StartLineage {
  /**
   * The lineages of the operations after whose outcomes that run's function requested nothing, in the order of the
   * outcomes. Code that has received one may continue after another outcome.
   */
  readonly silent: readonly string[];
  readonly outcomes: readonly InheritedPlace[];
  /** Present if several operations after the cut have one name. */
  readonly order?: ReceivedOrder;
}

/** The order in which the function of the resumed run received its outcomes. */
export interface ReceivedOrder {
  /** The number of the first outcomes, which are left out: both runs receive them in the same order. */
  readonly after: number;
  /** The operations of the others. */
  readonly ops: readonly OperationId[];
}

/**
 * Returns the lineage of an operation.
 * @param after The lineage of the operation after whose outcome the function requested it; `""`: none.
 * @param use Counts the requests of this kind and name after that outcome, from 0.
 */
export function lineageOf(after: string, op: OperationId, use: number): string {
  const { kind, name } = parseOperationId(op);
  const text = `${after}/${kind}/${use}/${name}`;
  return `${hashText(text)}-${hashText(text, 1)}`;
}
