/**
 * The pages of schedules. Their code is loaded when it is needed.
 */
import { lazy } from "../ui/lazy.tsx";

export const SchedulesPage = lazy(async () => (await import("./schedules-page.tsx")).SchedulesPage);
export const SchedulePage = lazy(async () => (await import("./schedule-page.tsx")).SchedulePage);
