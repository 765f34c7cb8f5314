/**
 * The tabs whose code is loaded when they are opened.
 */
import { lazy } from "../ui/lazy.tsx";

export const StreamsTab = lazy(async () => (await import("../streams/streams-tab.tsx")).StreamsTab);
export const FamilyTab = lazy(async () => (await import("../family/family-tab.tsx")).FamilyTab);
