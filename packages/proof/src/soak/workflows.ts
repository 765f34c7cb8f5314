/** The workflows that every process of the soak test serves: the catalogue, and the workflows with external effects. */
import { type CatalogueEntry, makeCatalogue, workflowsOf } from "../catalogue/index.ts";
import type { Workflow } from "@holdfast/workflows";
import { effectWorkflows } from "./effects.ts";

export const catalogue: readonly CatalogueEntry[] = makeCatalogue({ sleep });

/** The audience of signed requests to the processes of the steps. */
export const STEPS_AUDIENCE = "steps-of-the-soak";

export function soakWorkflows(recorderUrl: () => string): Workflow[] {
  return [...workflowsOf([...catalogue]), ...effectWorkflows(recorderUrl)];
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    });
  });
}
