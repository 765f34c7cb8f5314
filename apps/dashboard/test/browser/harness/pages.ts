/**
 * Every page of the dashboard, for tests that hold for all of them.
 *
 * Owns: the path of each page with the runs of `startKinds`, and a text that it shows when it is complete.
 */
export const PAGES = [
  ["/ui/runs", "Waits for a signal"],
  ["/ui/runs?q=status%3Anone", "There is no status"],
  ["/ui/runs?q=tag%3Anone", "No run matches"],
  ["/ui/runs/payment?op=step%2F0%2Fcharge", "The bank does not answer."],
  ["/ui/runs/approval", "Waits for token"],
  ["/ui/runs/order?tab=journal", "step.completed"],
  ["/ui/runs/order?tab=data", "Output"],
  ["/ui/runs/answer?tab=streams", "the warehouse."],
  ["/ui/runs/family?tab=family", "Children of family"],
  ["/ui/runs/order?tab=audit", "trigger"],
  ["/ui/runs/order?tab=raw", '"workflowVersion"'],
  ["/ui/runs/none", "There is no run with this id"],
  ["/ui/compare?a=order&b=payment", "charge"],
  ["/ui/open", "Open an exported run"],
  ["/ui/approvals", "Nothing"],
  ["/ui/limits", "No run waits at a limit"],
  ["/ui/schedules", "There is no schedule"],
  ["/ui/events", "No event was accepted"],
  ["/ui/workflows", "Takes an order and ships it."],
  ["/ui/start?workflow=order", "Takes an order and ships it."],
  ["/ui/none", "There is no page here"],
] as const;
