/**
 * The pages of limits. Their code is loaded when it is needed.
 */
import { lazy } from "../ui/lazy.tsx";

export const LimitsPage = lazy(async () => (await import("./limits-page.tsx")).LimitsPage);
export const LimitPage = lazy(async () => (await import("./limit-page.tsx")).LimitPage);
