/** What the local server says when it first serves. */
import { join } from "node:path";
import { DEFAULT_PORT } from "./port.ts";

export interface BannerFacts {
  /** The entry, or the URL of the step service. */
  readonly serves: string;
  readonly url: string;
  /** The URL of the dashboard. */
  readonly dashboard: string | undefined;
  readonly token: string;
  /** The data folder, as the user knows it. */
  readonly folder: string;
  readonly port: number;
  readonly portGiven: boolean;
  readonly workflows: readonly string[];
  /** What of the configuration is not used. */
  readonly unused: readonly string[];
  /** The generated key for a step service. */
  readonly signingKey: string | undefined;
}

export function bannerText(facts: BannerFacts): string {
  const { serves, url, dashboard, token, folder, port, portGiven, workflows, unused, signingKey } = facts;
  const [example] = workflows;
  const lines = [
    !portGiven && port !== DEFAULT_PORT && `Port ${DEFAULT_PORT} is in use: this server has port ${port}.`,
    `holdfast dev serves ${serves}`,
    workflows.length > 0 && `  workflows  ${workflows.join(", ")}`,
    `  url        ${url}`,
    dashboard !== undefined && `  dashboard  ${dashboard}`,
    `  token      ${token}`,
    `  runs       ${folder}`,
    signingKey !== undefined && `  STEP_SIGNING_KEY=${signingKey}`,
    ...unused,
    signingKey !== undefined && `Start your service with the key: node --env-file=${join(folder, "steps.env")} …`,
    example !== undefined && `Start a run in another terminal: npx holdfast start ${example}`,
  ];
  return lines.filter((line) => line !== false).join("\n");
}
