/**
 * All routes of the HTTP API, in the order of its documents.
 */
import { approvalRoutes } from "./approvals.ts";
import { bulkRoutes } from "./bulk.ts";
import { deliveryRoutes } from "./deliveries.ts";
import { eventListRoutes } from "./event-lists.ts";
import { eventReplayRoutes } from "./event-replays.ts";
import { eventRoutes } from "./events.ts";
import { hookRoutes } from "./hooks.ts";
import { limitRoutes } from "./limits.ts";
import { listRoutes } from "./lists.ts";
import { metricRoutes } from "./metrics.ts";
import { operateRoutes } from "./operate.ts";
import { publicTokenRoutes } from "./public-tokens.ts";
import { resumeRoutes } from "./resume.ts";
import type { Route } from "./route.ts";
import { runRoutes } from "./runs.ts";
import { deploymentRoutes, workflowRoutes } from "./service.ts";
import { scheduleRoutes } from "./schedules.ts";
import { ticketRoutes } from "./tickets.ts";
import { triggerRoutes } from "./trigger.ts";
import { windowRoutes } from "./windows.ts";

export const ROUTES: readonly Route[] = [
  ...triggerRoutes,
  ...listRoutes,
  ...approvalRoutes,
  ...bulkRoutes,
  ...limitRoutes,
  ...windowRoutes,
  ...runRoutes,
  ...ticketRoutes,
  ...resumeRoutes,
  ...deliveryRoutes,
  ...eventListRoutes,
  ...eventReplayRoutes,
  ...eventRoutes,
  ...hookRoutes,
  ...operateRoutes,
  ...scheduleRoutes,
  ...workflowRoutes,
  ...publicTokenRoutes,
  ...deploymentRoutes,
  ...metricRoutes,
];
