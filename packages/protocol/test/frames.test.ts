/** tests: the form of frames, byte for byte, and what a receiver refuses (PIPE6) */
import { describe, expect, test } from "vitest";
import { type FrameSide, Frames, frameKey, needsMac } from "../src/transport/index.ts";

const SIGNATURE = "t=1767225600000,n=nonce-0001,v1=860066937445a583269ff987f6c176c90129bdd32ca409ce0e87a733fed3452a";
const KEY = await frameKey("0123456789abcdef0123456789abcdef", SIGNATURE);

/** One end of a connection, with what it has sent, taken and refused. */
function end(side: FrameSide, key: CryptoKey | undefined) {
  const sent: string[] = [];
  const taken: string[] = [];
  const broken: string[] = [];
  const socket = { send: (text: string) => void sent.push(text), close: () => {} };
  const frames = new Frames(socket, side, key, {
    take: (text, number) => void taken.push(`${number}: ${text}`),
    broken: (why) => void broken.push(why),
  });
  return { frames, sent, taken, broken };
}

/** MACs take a moment. */
const soon = (read: () => unknown) => expect.poll(read, { interval: 1 });

describe("the golden frames", () => {
  test("PIPE6 with TLS a frame is a number and a text", () => {
    const { frames, sent } = end("orchestrator", undefined);
    frames.send('{"protocol":1}');
    frames.send("ü");
    expect(sent).toEqual(['1 {"protocol":1}', "2 ü"]);
  });

  test("PIPE6 without TLS each side has a MAC of its own for a text", async () => {
    const orchestrator = end("orchestrator", KEY);
    const execution = end("execution", KEY);
    orchestrator.frames.send('{"protocol":1}');
    orchestrator.frames.send("ü");
    execution.frames.send('{"protocol":1}');
    await soon(() => [orchestrator.sent, execution.sent]).toEqual([
      [
        `1 d6be4aba51b062a1706c3833494200487ba38d41b35fcfc1265492c3ab25f8e1 {"protocol":1}`,
        `2 bf05030a570bd53cdfe4af62013d315131659ab0b6e65e077e1c8b3d3b27d591 ü`,
      ],
      [`1 7edb275550ad656380ac017af18ac67147ef51960f2d8e9580941524f4a1262c {"protocol":1}`],
    ]);
    for (const frame of orchestrator.sent) execution.frames.receive(frame);
    await soon(() => execution.taken).toEqual(['1: {"protocol":1}', "2: ü"]);
  });
});

describe("a receiver", () => {
  test.each(["1 a", "3 a", "2", "02 a", " 2 a", "2.0 a", "", "two a"])(
    "PIPE6 takes nothing of %j where frame 2 must follow, and nothing afterwards",
    (frame) => {
      const { frames, taken, broken } = end("execution", undefined);
      frames.receive("1 first");
      frames.receive(frame);
      frames.receive("2 second");
      expect([taken, broken.length]).toEqual([["1: first"], 1]);
    },
  );

  test("PIPE6 takes no bytes", () => {
    const { frames, taken, broken } = end("execution", undefined);
    frames.receive(new TextEncoder().encode("1 first"));
    expect([taken, broken.length]).toEqual([[], 1]);
  });

  test("PIPE6 takes frames with MACs in the order in which they arrive, and none after a wrong one", async () => {
    const sender = end("orchestrator", KEY);
    const { frames, taken, broken } = end("execution", KEY);
    for (let i = 0; i < 50; i++) sender.frames.send(`text ${i}`);
    await soon(() => sender.sent.length).toBe(50);
    for (const [i, frame] of sender.sent.entries())
      frames.receive(i === 40 ? frame.replace("text 40", "text 41") : frame);
    await soon(() => broken).toEqual(["the MAC of frame 41 does not match"]);
    expect(taken).toEqual(Array.from({ length: 40 }, (_, i) => `${i + 1}: text ${i}`));
  });

  test("PIPE6 takes no frame of another connection, whose upgrade had another signature", async () => {
    const other = end("orchestrator", await frameKey("0123456789abcdef0123456789abcdef", SIGNATURE.replace("1", "2")));
    const { frames, taken, broken } = end("execution", KEY);
    other.frames.send("text");
    await soon(() => other.sent.length).toBe(1);
    frames.receive(other.sent[0]);
    await soon(() => broken.length).toBe(1);
    expect(taken).toEqual([]);
  });
});

test.each([
  ["https://steps.example", false],
  ["http://steps.example", true],
  ["http://10.0.0.7", true],
  ["http://[fd00::1]", true],
  ["http://127.0.0.1.example", true],
  ["http://localhost.example", true],
  ["http://notlocalhost", true],
  ["http://127.0.0.1:8788", false],
  ["http://127.8.0.1", false],
  ["http://localhost:8788", false],
  ["http://steps.localhost", false],
  ["http://[::1]:8788", false],
])("PIPE6 frames to %s need MACs: %s", (url, needed) => {
  expect(needsMac(new URL(url))).toBe(needed);
});
