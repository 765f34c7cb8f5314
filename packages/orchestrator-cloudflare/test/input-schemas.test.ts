/** Tests of the input schemas in the list of workflows (API9). */
import { workflow } from "@holdfast/workflows";
import { createStepHandler } from "@holdfast/workflows/handler";
import { describe, expect, test } from "vitest";
import { createHttpDispatcher } from "../src/index.ts";
import { FakeDeployment } from "./fake-platform.ts";
import { KEY, URL_OF_HANDLER, deployed } from "./handler-network.ts";

type Input = NonNullable<Parameters<typeof workflow>[0]["input"]>;

/** A schema of a library that converts its schemas to `json`. */
const convertsTo = (json: () => unknown): Input => {
  const standard = {
    version: 1,
    vendor: "test",
    validate: (value: unknown) => ({ value }),
    jsonSchema: { input: json },
  };
  return { "~standard": standard } as unknown as Input;
};

const json = { type: "object", properties: { cents: { type: "integer" } }, required: ["cents"] };
const run = (): null => null;

const workflows = [
  workflow({ id: "converted", input: convertsTo(() => json), run }),
  workflow({ id: "no schema", run }),
  workflow({
    id: "no conversion",
    input: { "~standard": { version: 1, vendor: "t", validate: (value) => ({ value }) } },
    run,
  }),
  workflow({ id: "large", input: convertsTo(() => ({ description: "x".repeat(16_384) })), run }),
  workflow({
    id: "throws",
    input: convertsTo(() => {
      throw new Error("A function has no JSON Schema.");
    }),
    run,
  }),
];

describe("the list of workflows", () => {
  const expected = {
    workflows: [
      { id: "converted", inputSchema: json },
      { id: "no schema" },
      { id: "no conversion" },
      { id: "large" },
      { id: "throws" },
    ],
  };

  test("API9 has the JSON Schema of an input, if its library gives one that is not too large", async () => {
    const response = await new FakeDeployment(workflows).fetch("/api/workflows");
    expect(await response.json()).toEqual(expected);
  });

  test("API9 has the same over HTTP from a step handler", async () => {
    const fetch = createStepHandler({ workflows, signingKeys: [KEY], audience: URL_OF_HANDLER });
    const dispatcher = createHttpDispatcher({ url: URL_OF_HANDLER, signingKey: KEY, fetch });
    const response = await deployed(dispatcher).fetch("/api/workflows");
    expect(await response.json()).toEqual(expected);
  });
});
