/**
 * Versions that travel with every message and every stored row.
 *
 * Owns: the numbers. Both sides of a dispatcher state PROTOCOL_VERSION (VER2); every header and journal row carries
 * FORMAT_VERSION (VER1).
 */

/** The version of the messages between orchestrator and step handler. */
export const PROTOCOL_VERSION = 1;

/** The version of the stored header and rows. */
export const FORMAT_VERSION = 1;
