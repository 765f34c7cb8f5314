/**
 * Measures what a local runtime stores: files, rows, and the memory of its process.
 */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { LocalRuntime } from "@holdfast/local-runtime";

export interface Stored {
  readonly files: number;
  readonly rows: number;
  /** Resident, in bytes. */
  readonly memory: number;
}

export function measure(runtime: LocalRuntime): Stored {
  const { directory } = runtime;
  // A write-ahead log comes and goes by itself.
  const files = readdirSync(directory, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".sqlite"),
  );
  return {
    files: files.length,
    rows: files.reduce((sum, name) => sum + countRows(join(directory, name)), 0),
    memory: memoryOf(runtime.pid()),
  };
}

function countRows(file: string): number {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
    return tables.reduce(
      (sum, { name }) => sum + Number(database.prepare(`SELECT count(*) AS n FROM "${String(name)}"`).get()?.["n"]),
      0,
    );
  } finally {
    database.close();
  }
}

/** On other systems than Linux: 0. */
function memoryOf(pid: number | undefined): number {
  try {
    const [, kilobytes = "0"] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Number(kilobytes) * 1_024;
  } catch {
    return 0;
  }
}
