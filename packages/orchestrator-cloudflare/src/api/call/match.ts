/**
 * Which route a path has.
 *
 * Owns: the comparison of a path with the paths of routes. Ids stay encoded, so a slash in an id never divides it.
 */
/** Decoded parameters, each with all its values. */
export type QueryValues = Readonly<Record<string, readonly string[]>>;

/** The routes whose path has the same number of segments, in the order of the table. */
export type Table<R> = ReadonlyMap<number, readonly { readonly segments: readonly string[]; readonly route: R }[]>;

export function tableOf<R extends { readonly path: string }>(routes: readonly R[]): Table<R> {
  return Map.groupBy(
    routes.map((route) => ({ segments: route.path.split("/"), route })),
    ({ segments }) => segments.length,
  );
}

/** Returns the routes with this path, of every verb. */
export function routesAt<R>(table: Table<R>, path: string): readonly R[] {
  const given = path.split("/");
  const candidates = table.get(given.length) ?? [];
  return candidates
    .filter(({ segments }) => segments.every((one, at) => fits(one, given[at])))
    .map(({ route }) => route);
}

function fits(segment: string, given: string | undefined): boolean {
  return segment.startsWith(":") ? given !== "" : segment === given;
}

/** Returns the path of a URL. Encoded characters that need no encoding are decoded. */
export function pathOf(url: string): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  const end = url.search(/[?#]/);
  const path = start < 0 ? "/" : url.slice(start, end < 0 ? undefined : end);
  if (!path.includes("%")) return path;
  try {
    return decodeURI(path.replaceAll("%25", "%2525"));
  } catch {
    return path;
  }
}

/** Returns the decoded parameters of a URL, each with all its values. */
export function queriesOf(url: string): QueryValues {
  if (!url.includes("?")) return {};
  const values = Map.groupBy(new URL(url).searchParams, ([name]) => name);
  return Object.fromEntries(Array.from(values, ([name, pairs]) => [name, pairs.map(([, value]) => value)]));
}
