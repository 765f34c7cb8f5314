/** Checks what `ctx.log` writes to the console. */
import { expect, test, vi } from "vitest";
import { webPlatform } from "../src/replay/platform.ts";

/** What one call of the log writes, parsed. */
function written(line: Record<string, unknown>): unknown {
  const texts: string[] = [];
  const spy = vi.spyOn(console, "log").mockImplementation((text: string) => void texts.push(text));
  try {
    webPlatform.log(line);
  } finally {
    spy.mockRestore();
  }
  expect(texts).toHaveLength(1);
  return JSON.parse(texts[0] ?? "");
}

const circular: Record<string, unknown> = { a: 1 };
circular["self"] = circular;

const THROWING: readonly (readonly [string, unknown])[] = [
  ["a cycle", circular],
  [
    "a getter that throws",
    {
      get a(): never {
        throw new Error("no");
      },
    },
  ],
  [
    "a toJSON that throws",
    {
      toJSON: () => {
        throw undefined;
      },
    },
  ],
  ["a revoked proxy", revoked()],
  [
    "an error whose message throws",
    Object.defineProperty(new Error("x"), "message", {
      get: () => {
        throw new Error("no");
      },
    }),
  ],
];

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

for (const [what, data] of THROWING) {
  test(`STR3 a log line with ${what} is written without its data, says so, and throws nothing`, () => {
    expect(written({ level: "info", message: "m", data, runId: "r" })).toEqual({
      level: "info",
      message: "m",
      data: expect.stringMatching(/^\[not JSON: .+\]$/s),
      runId: "r",
    });
  });
}

test("STR3 a message that JSON has no form for is written as the reason", () => {
  expect(written({ level: "info", message: circular, runId: "r" })).toMatchObject({ level: "info", runId: "r" });
});

test("STR3 a log line has big integers as text, and errors with their name, message, fields, causes and stack", () => {
  const cause = new RangeError("why");
  const error = Object.assign(new TypeError("what", { cause }), { code: "E1", n: 5n });
  expect(written({ level: "error", message: "m", data: { error, list: [1n] } })).toMatchObject({
    data: {
      error: {
        name: "TypeError",
        message: "what",
        code: "E1",
        n: "5",
        stack: expect.stringContaining("log.test"),
        cause: { name: "RangeError", message: "why" },
      },
      list: ["1"],
    },
  });
});
