/** Checks that the committed figures are those that the script draws, and that the pages show them as they are. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { REPOSITORY, readFiles } from "../source-files.ts";
import { findBlocks } from "../pages/page.ts";
import { drawFigures, listFigures } from "./all-figures.ts";
import { IMAGES } from "./fan-out.ts";
import { recordKilledAttempt } from "./killed-attempt.ts";
import { FOLDER } from "./main.ts";
import { ANSWERS } from "./retries.ts";
import { recordRun } from "./recorded-run.ts";
import { NODES_MAX, countNodes } from "./svg.ts";
import { engineChanges, shownChanges } from "./states.ts";
import { recordTwoWaits } from "./two-waits.ts";

const PAGES = readFiles("README.md", "docs/{concepts,how-to,tutorial}/*.md");

test("every figure of docs/images/concepts is what `pnpm figures` draws now", async () => {
  const drawn = await drawFigures(FOLDER);
  const stale = [...drawn].filter(([path, content]) => read(path) !== content).map(([path]) => path);
  expect(stale, "draw these again with `pnpm figures`").toEqual([]);
  const files = readdirSync(join(REPOSITORY, FOLDER)).map((name) => `${FOLDER}/${name}`);
  expect(files.toSorted()).toEqual([...drawn.keys()].toSorted());
});

test("every figure has at most nine nodes, and text that a reader can select", async () => {
  for (const figure of await listFigures()) {
    expect([figure.name, countNodes(figure)]).toEqual([figure.name, expect.toBeOneOf(upTo(NODES_MAX))]);
    expect(figure.parts.join("")).toContain("<text ");
  }
});

test("every figure is on a page in both themes, and its alternative text is what the picture shows", async () => {
  const text = PAGES.map((page) => page.text).join("\n");
  for (const { name, description } of await listFigures()) {
    const at = `${name === "kill" ? "docs" : ".."}/images/concepts/${name}`;
    expect(text).toContain(`<source media="(prefers-color-scheme: dark)" srcset="${at}-dark.svg">`);
    expect(text).toContain(`<img alt="${description.replaceAll('"', "&quot;")}" src="${at}-light.svg">`);
  }
});

test("RUN1 the picture of the statuses shows the changes that the engine allows, and no other", () => {
  expect(engineChanges()).toEqual(shownChanges());
});

test("the recorded runs end as their pages say", async () => {
  const order = await recordRun();
  expect(order.output).toEqual(shownResult("docs/concepts/mental-model.md"));
  expect(order.moments.replay.bodies).toEqual({ reserve: 1, charge: 1, ship: 2 });
  const waits = await recordTwoWaits();
  expect(waits.output).toEqual(shownResult("docs/concepts/time-and-order.md"));
  expect(waits.leftOver).toEqual(["d-2"]);
  const { output } = await recordKilledAttempt();
  expect(read("docs/tutorial/2-kill-it.md")).toContain(`{ ${fieldsOf(output)} }`);
});

test("the pictures of runs have the input of their pages", () => {
  expect(read("docs/how-to/retry.md")).toContain(`const answers = [${ANSWERS.join(", ")}, `);
  expect(read("docs/how-to/fan-out.md")).toContain(`{ "images": [${IMAGES.map((image) => `"${image}"`).join(", ")}] }`);
});

function fieldsOf(result: unknown): string {
  return Object.entries(result as object)
    .map(([name, value]) => `"${name}": "${value}"`)
    .join(", ");
}

/** The only result that a page shows. */
function shownResult(page: string): unknown {
  const results = findBlocks(read(page) ?? "").filter(({ language }) => language === "json");
  expect(results).toHaveLength(1);
  return JSON.parse(results[0]?.lines.join("\n") ?? "");
}

function read(path: string): string | undefined {
  const target = join(REPOSITORY, path);
  return existsSync(target) ? readFileSync(target, "utf8") : undefined;
}

function upTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}
