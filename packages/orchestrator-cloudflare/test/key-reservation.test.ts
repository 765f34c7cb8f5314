/** tests: the object that an idempotency key names */
import { expect, test } from "vitest";
import { KeyReservation } from "../src/run-object/key-reservation.ts";
import { FakeStorage } from "./fake-platform.ts";

test("RUN2 a key belongs to the first run that was requested with it, until that run is rejected", () => {
  const key = new KeyReservation(new FakeStorage().kv);
  expect(key.reserve("a", undefined)).toEqual({ runId: "a", fresh: true });
  expect(key.reserve("b", undefined)).toEqual({ runId: "a", fresh: false });
  key.release("b");
  expect(key.reserve("b", undefined)).toEqual({ runId: "a", fresh: false });
  key.release("a");
  expect(key.reserve("b", undefined)).toEqual({ runId: "b", fresh: true });
});

test("RUN2 a key belongs to the run in the same object", () => {
  const key = new KeyReservation(new FakeStorage().kv);
  expect(key.reserve("a", "key-1")).toEqual({ runId: "key-1", fresh: false });
  expect(key.holderFor({ byKey: true })).toBeUndefined();
});

test("RUN2 a trigger by the key is sent to its run, and a trigger with the object's name as run id is rejected", () => {
  const key = new KeyReservation(new FakeStorage().kv);
  key.reserve("a", undefined);
  expect(key.holderFor({ byKey: true })).toEqual({ keyStandsFor: "a" });
  expect(() => key.holderFor({ byKey: false })).toThrow('reserved by an idempotency key of the run "a"');
});
