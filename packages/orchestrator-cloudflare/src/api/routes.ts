/**
 * All routes of the HTTP API, in the order of its documents.
 */
import { approvalRoutes } from "./routes/approvals.ts";
import { bulkRoutes } from "./routes/bulk.ts";
import { deliveryRoutes } from "./routes/deliveries.ts";
import { eventListRoutes } from "./routes/event-lists.ts";
import { eventReplayRoutes } from "./routes/event-replays.ts";
import { eventRoutes } from "./routes/events.ts";
import { hookRoutes } from "./routes/hooks.ts";
import { limitRoutes } from "./routes/limits.ts";
import { listRoutes } from "./routes/lists.ts";
import { metricRoutes } from "./routes/metrics.ts";
import { operateRoutes } from "./routes/operate.ts";
import { publicTokenRoutes } from "./routes/public-tokens.ts";
import { resumeRoutes } from "./routes/resume.ts";
import type { Route } from "./call/route.ts";
import { runRoutes } from "./routes/runs.ts";
import { deploymentRoutes, workflowRoutes } from "./routes/service.ts";
import { scheduleRoutes } from "./routes/schedules.ts";
import { ticketRoutes } from "./routes/tickets.ts";
import { triggerRoutes } from "./routes/trigger.ts";
import { windowRoutes } from "./routes/windows.ts";

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
