/**
 * Oracle on ended runs (RUN1).
 */
import { isTerminal } from "@holdfast/protocol";
import type { Finding } from "./finding.ts";
import type { ObservedRun } from "./observed-run.ts";

/** Later inputs do not change an ended run (RUN1). */
export function checkTerminal({ host }: ObservedRun): Finding[] {
  if (!isTerminal(host.header.status)) return [];
  const before = JSON.stringify(host.store.dump());
  host.cancel();
  host.deliver("signal", "a", "late", "after the end");
  host.operate("pause");
  host.fireAlarmIfSet();
  if (JSON.stringify(host.store.dump()) === before) return [];
  return [{ oracle: "terminal", text: `${host.runId} changed after its end` }];
}
