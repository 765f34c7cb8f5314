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
 * Code that cannot read pages refuses it, and gets the whole journal. Version 2 was that of code that reads no page ahead:
 * its pages had to begin with outcomes that came late.
 */
export const PAGED_PROTOCOL_VERSION = 3;

/** The version of the stored header and rows. */
export const FORMAT_VERSION = 1;

/** The version of the packages. A test compares it with their package.json. */
export const HOLDFAST_VERSION = "0.1.0";
