/** The files of the dashboard. The build of apps/dashboard writes the module, which is not in the repository. */

export interface DashboardFile {
  readonly type: string;
  readonly cache: string;
  /** An entity tag. */
  readonly tag: string;
  /** The content, gzipped, as base64. */
  readonly gzip: string;
}

/** By the path of the URL. */
export const FILES: Readonly<Record<string, DashboardFile>>;
/** The headers of every answer. */
export const HEADERS: Readonly<Record<string, string>>;
/** Addresses of pages. `:id` stands for one segment. */
export const PAGES: readonly string[];
