import { describe, expect, test } from "vitest";
import { DEFAULT_LIMITS, limitsFrom } from "../src/index.ts";

describe("the limits of a deployment", () => {
  test("LIM1 a deployment sets limits by an object or by JSON", () => {
    expect(limitsFrom({ inboxDeliveries: 5 })).toEqual({ ...DEFAULT_LIMITS, inboxDeliveries: 5 });
    expect(limitsFrom('{"requestBytes":2048}')).toEqual({ ...DEFAULT_LIMITS, requestBytes: 2048 });
  });

  test.each([undefined, null, "", {}])("LIM1 %s leaves all limits at their defaults", (given) => {
    expect(limitsFrom(given)).toEqual(DEFAULT_LIMITS);
  });

  test.each([
    [{ nameBytes: 5 }, "limits.nameBytes: cannot be set"],
    [{ nothing: 5 }, "limits.nothing: cannot be set"],
    [{ __proto__: null, constructor: 5 }, "limits.constructor: cannot be set"],
    [{ inboxDeliveries: 0 }, "a whole number of at least 1"],
    [{ inboxDeliveries: "5" }, "a whole number of at least 1"],
    [{ inboxDeliveries: 1.5 }, "a whole number of at least 1"],
    ["[1]", "limits: must be JSON"],
    ["nonsense", "limits: must be JSON"],
  ])("LIM1 %j is rejected with the reason", (given, message) => {
    expect(() => limitsFrom(given as never)).toThrow(message);
  });
});
