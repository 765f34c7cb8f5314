/** Golden strings that both sides must produce byte for byte. A handler in another language can test against them. */
import { describe, expect, test } from "vitest";
import { SeenNonces, readLines, signRequest, verifyRequest } from "../src/transport/index.ts";

const KEY = "0123456789abcdef0123456789abcdef";
const REQUEST = { method: "POST", path: "/holdfast/turn?x=1", body: '{"protocol":1}' };
const AT = 1_767_225_600_000;
const SIGNED = "t=1767225600000,n=nonce-0001,v1=860066937445a583269ff987f6c176c90129bdd32ca409ce0e87a733fed3452a";

describe("signatures", () => {
  test("SEC3 a request has one signature, which is valid", async () => {
    expect(await signRequest(REQUEST, KEY, AT, "nonce-0001")).toBe(SIGNED);
    expect(await verifyRequest(REQUEST, SIGNED, ["another-key-for-now", KEY], AT + 1)).toEqual({
      ok: true,
      nonce: "nonce-0001",
      at: AT,
      key: KEY,
    });
  });

  test("SEC3 signatures stay the same when more keys are used than are cached", async () => {
    for (let round = 0; round < 2; round++) {
      for (let n = 0; n < 70; n++) expect(await signRequest(REQUEST, `${KEY}${n}`, AT, "nonce-0001")).toMatch(/^t=/);
    }
    expect(await signRequest(REQUEST, KEY, AT, "nonce-0001")).toBe(SIGNED);
  });

  test("SEC3 a signature is invalid after a change to any part of the request", async () => {
    for (const changed of [
      { ...REQUEST, method: "PUT" },
      { ...REQUEST, path: "/holdfast/turn" },
      { ...REQUEST, body: `${REQUEST.body} ` },
    ])
      expect((await verifyRequest(changed, SIGNED, [KEY], AT)).ok).toBe(false);
    for (const header of [
      SIGNED.replace("nonce-0001", "nonce-0002"),
      SIGNED.replace("t=17", "t=18"),
      SIGNED.slice(0, -1),
      "",
      null,
    ])
      expect((await verifyRequest(REQUEST, header, [KEY], AT)).ok).toBe(false);
  });

  test("SEC3 nonces are stored until their signatures expire, in bounded memory", () => {
    const seen = new SeenNonces(3);
    expect([seen.add("a", 0, 0), seen.add("a", 0, 1)]).toEqual([true, false]);
    expect(seen.add("a", 700_000, 700_000)).toBe(true);
    for (const nonce of ["b", "c", "d"]) expect(seen.add(nonce, 700_000, 700_001)).toBe(true);
    // The limit of 3 removed the oldest nonce.
    expect(seen.add("a", 700_000, 700_002)).toBe(true);
  });
});

describe("lines", () => {
  async function linesOf(...chunks: string[]): Promise<unknown[]> {
    const bytes = chunks.map((chunk) => new TextEncoder().encode(chunk));
    const read = async () => ({ done: bytes.length === 0, value: bytes.shift() });
    const reader = { read, cancel: async () => {} };
    const lines: unknown[] = [];
    for await (const line of readLines(reader)) lines.push(line);
    return lines;
  }

  test("E2 messages arrive in order, however the stream is divided into chunks", async () => {
    expect(await linesOf('{"a":1}\n{"b"', ":2}\n", "\n", '{"c":3}\n')).toEqual([{ a: 1 }, { b: 2 }, { c: 3 }]);
  });

  test("E2 a message of many chunks is read whole, and a message without an end is rejected", async () => {
    const half = "x".repeat(2 ** 27);
    expect(await linesOf('{"a":"', "xx", 'x"}', "\n")).toEqual([{ a: "xxx" }]);
    await expect(linesOf(half, half, "x")).rejects.toThrow("too long");
  });

  test("E2 the stream is cancelled when its reader stops before the end, and not after the end", async () => {
    const stopped = async (text: string, take: () => void = () => {}): Promise<boolean> => {
      let cancelled = false;
      const cancel = (): void => void (cancelled = true);
      const start = (stream: ReadableStreamDefaultController<Uint8Array>): void => {
        stream.enqueue(new TextEncoder().encode(text));
        if (text.endsWith("end")) stream.close();
      };
      const lines = readLines(new ReadableStream<Uint8Array>({ start, cancel }).getReader());
      const read = async (): Promise<void> => {
        for await (const _line of lines) take();
      };
      await read().catch(() => {});
      return cancelled;
    };
    expect(await stopped("no JSON\n")).toBe(true);
    const refuse = (): never => {
      throw new Error("it is invalid");
    };
    expect(await stopped("{}\n", refuse)).toBe(true);
    expect(await stopped("{}\nend")).toBe(false);
  });

  test("E2 a message that the end of the stream cuts off is dropped", async () => {
    expect(await linesOf('{"a":1}\n{"b":')).toEqual([{ a: 1 }]);
    await expect(linesOf("no json\n")).rejects.toThrow("JSON");
  });
});
