/**
 * The program of a page on the in-memory host, for the figures that show a run of it.
 *
 * Owns: which exports of a module are workflows.
 */
import type { Workflow } from "@holdfast/workflows";
import { MemoryHost } from "@holdfast/workflows/testing";
import { importModule, writeModules } from "../pages/modules.ts";

/** Returns a host that serves the workflows of a page's module, without a run. */
export async function hostOf(page: string, module: string): Promise<MemoryHost> {
  const folder = writeModules(page, `figure-${page.replaceAll("/", "-")}`);
  const exported = Object.values(await importModule(folder, module));
  return new MemoryHost({ workflows: exported.filter(isWorkflow) });
}

function isWorkflow(value: unknown): value is Workflow {
  return typeof value === "object" && value !== null && "id" in value && "run" in value;
}
