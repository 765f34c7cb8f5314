/**
 * The checks of a run at the end of a scenario.
 *
 * Owns: the list of the oracles on stored data, one in each file of `oracles/`. Each returns the violations that it finds.
 */
import { checkAcknowledged, checkAnswers } from "./oracles/acknowledged.ts";
import { checkActs } from "./oracles/acts.ts";
import { checkAsks, checkListedAsks } from "./oracles/asks.ts";
import { checkCleanup } from "./oracles/cleanup.ts";
import { checkCancel } from "./oracles/cancel.ts";
import { checkCompensation } from "./oracles/compensation.ts";
import { checkEffects } from "./oracles/effects.ts";
import type { Finding } from "./oracles/finding.ts";
import { checkFlags } from "./oracles/flags.ts";
import { checkIndex } from "./oracles/index-row.ts";
import { checkJournal } from "./oracles/journal.ts";
import { checkMetadata } from "./oracles/metadata.ts";
import type { ObservedRun } from "./oracles/observed-run.ts";
import { checkOutcome } from "./oracles/outcome.ts";
import { checkAlarm, checkProgress } from "./oracles/progress.ts";
import { checkRows } from "./oracles/rows.ts";
import { checkStreams } from "./oracles/streams.ts";

type Oracle = (run: ObservedRun) => readonly string[];

const ORACLES: readonly (readonly [Finding["oracle"], Oracle])[] = [
  ["progress", checkProgress],
  ["alarm", checkAlarm],
  ["acknowledged", checkAcknowledged],
  ["acknowledged", checkAnswers],
  ["acts", checkActs],
  ["asks", checkAsks],
  ["asks", checkListedAsks],
  ["journal", checkJournal],
  ["effects", checkEffects],
  ["flags", checkFlags],
  ["cancel", checkCancel],
  ["cleanup", checkCleanup],
  ["compensation", checkCompensation],
  ["metadata", checkMetadata],
  ["outcome", checkOutcome],
  ["index", checkIndex],
  ["streams", checkStreams],
  ["rows", checkRows],
];

export function checkRun(run: ObservedRun): Finding[] {
  return ORACLES.flatMap(([oracle, check]) =>
    check(run).map((text) => ({ oracle, text: `${run.host.runId}: ${text}` })),
  );
}
