/**
 * The pages whose code is loaded when they are opened.
 */
import { lazy } from "./ui/lazy.tsx";

export const RunPage = lazy(async () => (await import("./run/run-page.tsx")).RunPage);
export const ComparePage = lazy(async () => (await import("./compare/compare-page.tsx")).ComparePage);
export const OpenPage = lazy(async () => (await import("./open/open-page.tsx")).OpenPage);
