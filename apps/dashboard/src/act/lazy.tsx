/**
 * The pages about starting runs. Their code is loaded when it is needed.
 */
import { lazy } from "../ui/lazy.tsx";

export const StartPage = lazy(async () => (await import("./start-page.tsx")).StartPage);
export const WorkflowsPage = lazy(async () => (await import("./workflows-page.tsx")).WorkflowsPage);
