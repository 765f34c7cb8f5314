/**
 * Which page is shown, from the URL.
 *
 * Owns: the address. Whatever a reader would paste in a chat is in it: the run, the tab, the operation, the filter. Secrets
 * never are. The pages read `route` and call `navigate`; links are plain `<a>` elements, which `followLink` takes over.
 */
import { type ReadonlySignal, computed, signal } from "@preact/signals";
import { fromSegment, toSegment } from "./segment.ts";

export type Route =
  | { readonly page: "runs"; readonly query: string; readonly columns: string | undefined }
  | { readonly page: "run"; readonly id: string; readonly tab: string; readonly op: string | undefined }
  | {
      readonly page: "approvals";
      readonly assignee: string | undefined;
      readonly runId: string | undefined;
      readonly op: string | undefined;
    }
  | { readonly page: "start"; readonly like: string | undefined; readonly workflow: string | undefined }
  | { readonly page: "compare"; readonly a: string | undefined; readonly b: string | undefined }
  | { readonly page: "open" }
  | { readonly page: "workflows" }
  | { readonly page: "limits"; readonly name: string | undefined }
  | { readonly page: "limit"; readonly name: string; readonly key: string | undefined }
  | { readonly page: "schedules" }
  | { readonly page: "events"; readonly name: string | undefined }
  | { readonly page: "event"; readonly id: string }
  | { readonly page: "topic"; readonly name: string; readonly key: string }
  | { readonly page: "schedule"; readonly id: string }
  | { readonly page: "missing"; readonly path: string };

const RUNS = "/ui/runs";
const COMPARE = "/ui/compare";
const OPEN = "/ui/open";
const APPROVALS = "/ui/approvals";
const START = "/ui/start";
const WORKFLOWS = "/ui/workflows";
const LIMITS = "/ui/limits";
const SCHEDULES = "/ui/schedules";
const EVENTS = "/ui/events";
const TOPICS = "/ui/topics";

const address = signal(new URL(location.href));

export const route: ReadonlySignal<Route> = computed(() => routeOf(address.value));

function routeOf({ pathname, searchParams }: Pick<URL, "pathname" | "searchParams">): Route {
  const path = pathname.replace(/\/+$/, "");
  const named = (name: string): string | undefined => searchParams.get(name) ?? undefined;
  if (path === "/ui" || path === RUNS)
    return { page: "runs", query: searchParams.get("q") ?? "", columns: named("columns") };
  if (path === COMPARE) return { page: "compare", a: named("a"), b: named("b") };
  if (path === OPEN) return { page: "open" };
  if (path === APPROVALS)
    return { page: "approvals", assignee: named("assignee"), runId: named("run"), op: named("op") };
  if (path === START) return { page: "start", like: named("like"), workflow: named("workflow") };
  if (path === WORKFLOWS) return { page: "workflows" };
  if (path === LIMITS) return { page: "limits", name: named("name") };
  if (path === SCHEDULES) return { page: "schedules" };
  if (path === EVENTS) return { page: "events", name: named("name") };
  const [id] = partsBelow(RUNS, path, 1);
  if (id !== undefined) return { page: "run", id, tab: searchParams.get("tab") ?? "timeline", op: named("op") };
  return routeBelow(path) ?? { page: "missing", path: pathname };
}

/** The page of one limit, schedule, event or topic. */
function routeBelow(path: string): Route | undefined {
  const [name, key] = partsBelow(LIMITS, path, 2);
  if (name !== undefined) return { page: "limit", name, key };
  const [schedule] = partsBelow(SCHEDULES, path, 1);
  if (schedule !== undefined) return { page: "schedule", id: schedule };
  const [event] = partsBelow(EVENTS, path, 1);
  if (event !== undefined) return { page: "event", id: event };
  const [topic, topicKey] = partsBelow(TOPICS, path, 2);
  return topic === undefined || topicKey === undefined ? undefined : { page: "topic", name: topic, key: topicKey };
}

/** The parts of a path after its begin, at most so many. Empty: the path is another one. */
function partsBelow(begin: string, path: string, most: number): readonly string[] {
  if (!path.startsWith(`${begin}/`)) return [];
  const parts = path.slice(begin.length + 1).split("/");
  const texts = parts.map(fromSegment).filter((text) => text !== undefined);
  return texts.length === parts.length && parts.length <= most ? texts : [];
}

export function runPath(id: string, query: Readonly<Record<string, string | undefined>> = {}): string {
  return `${RUNS}/${toSegment(id)}${queryText(query)}`;
}

export function runsPath(query = "", columns?: string): string {
  return RUNS + queryText({ q: query === "" ? undefined : query, columns });
}

/** `run` and `op` name the ask that is open on the page. */
export function approvalsPath(
  query:
    | Readonly<Record<"assignee" | "run" | "op", string | undefined>>
    | Readonly<Partial<Record<"assignee", string | undefined>>> = {},
): string {
  return APPROVALS + queryText(query);
}

/** `like`: the id of a run whose values the form has. */
export function startPath(query: { readonly workflow?: string; readonly like?: string } = {}): string {
  return START + queryText(query);
}

/** Two runs of one workflow, the earlier one first. */
export function comparePath(a: string | undefined, b: string | undefined): string {
  return COMPARE + queryText({ a, b });
}

export function openPath(): string {
  return OPEN;
}

export function workflowsPath(): string {
  return WORKFLOWS;
}

/** `name`: only the keys of this limit. */
export function limitsPath(name?: string): string {
  return LIMITS + queryText({ name });
}

/** `key`: absent if the limit has none. */
export function limitPath(name: string, key?: string): string {
  return [LIMITS, ...[name, ...(key === undefined ? [] : [key])].map(toSegment)].join("/");
}

export function schedulesPath(): string {
  return SCHEDULES;
}

export function schedulePath(id: string): string {
  return `${SCHEDULES}/${toSegment(id)}`;
}

/** `name`: only events of this name. */
export function eventsPath(name?: string): string {
  return EVENTS + queryText({ name });
}

export function eventPath(id: string): string {
  return `${EVENTS}/${toSegment(id)}`;
}

/** The topic of the events with one name and key. */
export function topicPath(name: string, key: string): string {
  return `${TOPICS}/${toSegment(name)}/${toSegment(key)}`;
}

export function navigate(path: string, { replace = false }: { readonly replace?: boolean } = {}): void {
  const target = new URL(path, location.origin);
  if (target.href === address.value.href) return;
  history[replace ? "replaceState" : "pushState"](null, "", target);
  const isOtherPage = target.pathname !== address.value.pathname;
  show(target);
  if (isOtherPage) scrollTo(0, 0);
}

/** How far down each address was when it was left, in pixels. */
const tops: Record<string, number> = {};
const RETURN_MS = 2_000;

function show(target: URL): void {
  tops[address.value.href] = scrollY;
  address.value = target;
}

/** Shows the page of a plain click on a link of ours. Other clicks, as with Ctrl, are the browser's. */
function followLink(event: MouseEvent): void {
  const { target, button, defaultPrevented, ctrlKey, metaKey, shiftKey, altKey } = event;
  if (defaultPrevented || button !== 0 || ctrlKey || metaKey || shiftKey || altKey) return;
  const link = target instanceof Element ? target.closest("a") : null;
  if (link === null || link.target !== "" || link.hasAttribute("download")) return;
  const url = new URL(link.href);
  if (url.origin !== location.origin || !/^\/ui(?:\/|$)/.test(url.pathname) || url.hash !== "") return;
  event.preventDefault();
  navigate(url.href);
}

export function startRouter(): void {
  document.addEventListener("click", followLink);
  addEventListener("popstate", () => {
    show(new URL(location.href));
    const top = tops[location.href] ?? 0;
    // The rows of a page come after it: it scrolls once it is long enough.
    const longer = new ResizeObserver(() => {
      scrollTo(0, top);
      if (scrollY >= top) longer.disconnect();
    });
    longer.observe(document.body);
    setTimeout(() => longer.disconnect(), RETURN_MS);
  });
}

function queryText(query: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return given.length === 0 ? "" : `?${new URLSearchParams(given)}`;
}
