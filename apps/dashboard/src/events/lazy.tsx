/**
 * The pages of events. Their code is loaded when it is needed.
 */
import { lazy } from "../ui/lazy.tsx";

export const EventsPage = lazy(async () => (await import("./events-page.tsx")).EventsPage);
export const EventPage = lazy(async () => (await import("./event-page.tsx")).EventPage);
export const TopicPage = lazy(async () => (await import("./topic-page.tsx")).TopicPage);
