/**
 * The versions of messages and of stored rows.
 *
 * Owns: the numbers. Both sides of a dispatcher send PROTOCOL_VERSION (VER2). Every stored row of a run contains
 * FORMAT_VERSION (VER1).
 */

/** The version of the messages between orchestrator and step handler. */
export const PROTOCOL_VERSION = 1;

/**
 * The version in a start message with a first page of the journal (`ExecutionStart.more`), on a pipe to another process.
 * Code that cannot read pages refuses it, and gets the whole journal.
 */
export const PAGED_PROTOCOL_VERSION = 2;

/** The version of the stored header and rows. */
export const FORMAT_VERSION = 1;

/** The version of the packages. A test compares it with their package.json. */
export const HOLDFAST_VERSION = "0.1.0";
