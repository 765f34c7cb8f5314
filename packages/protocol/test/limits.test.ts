import { afterEach, describe, expect, test } from "vitest";
import { LIMITS, setLimits } from "../src/index.ts";

const before = { ...LIMITS };

afterEach(() => {
  setLimits({ inboxDeliveries: before.inboxDeliveries, requestBytes: before.requestBytes });
});

describe("setting limits", () => {
  test("LIM1 a deployment sets those that are its own to set, as an object or as JSON", () => {
    setLimits({ inboxDeliveries: 5 });
    setLimits('{"requestBytes":2048}');
    expect(LIMITS).toEqual({ ...before, inboxDeliveries: 5, requestBytes: 2048 });
  });

  test.each([undefined, null, "", {}])("LIM1 %s leaves all as they are", (given) => {
    setLimits(given);
    expect(LIMITS).toEqual(before);
  });

  test.each([
    [{ nameBytes: 5 }, "limits.nameBytes: cannot be set"],
    [{ nothing: 5 }, "limits.nothing: cannot be set"],
    [{ __proto__: null, constructor: 5 }, "limits.constructor: cannot be set"],
    [{ inboxDeliveries: 0 }, "a whole number from 1"],
    [{ inboxDeliveries: "5" }, "a whole number from 1"],
    [{ inboxDeliveries: 1.5 }, "a whole number from 1"],
    ["[1]", "limits: must be JSON"],
    ["nonsense", "limits: must be JSON"],
  ])("LIM1 %j is refused with the reason", (given, message) => {
    expect(() => setLimits(given as never)).toThrow(message);
    expect(LIMITS).toEqual(before);
  });
});
