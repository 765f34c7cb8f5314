/** Which packages of the workspace are published: those that are not `private`. */
import { packageFolders, readManifest } from "../source-files.ts";

/** Returns the folders of the published packages, relative to the root. */
export function publishedFolders(): readonly string[] {
  return packageFolders().filter((folder) => readManifest(folder).private !== true);
}
