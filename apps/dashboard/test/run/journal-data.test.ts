/** Which part of a journal is loaded, from an API of the test that counts its pages. */
import type { JournalEntry, JournalOptions } from "@holdfast/workflows/client";
import { expect, test } from "vitest";
import { JournalData, PAGE } from "../../src/run/journal-data.ts";
import { longJournal } from "../timeline/journal.ts";

/** A journal that grows, and the requests for its pages. */
function journalOf(count: number, value: unknown = null) {
  const all: JournalEntry[] = longJournal(count).map((entry) => ({ ...entry, value }));
  const pages: string[] = [];
  async function* read({ order, before = Infinity, after = 0 }: JournalOptions): AsyncGenerator<JournalEntry, void> {
    const isDesc = order === "desc";
    const chosen = isDesc ? all.filter(({ seq }) => seq < before).toReversed() : all.filter(({ seq }) => seq > after);
    for (let from = 0; from === 0 || from < chosen.length; from += PAGE) {
      pages.push(isDesc ? `before ${before === Infinity ? "the end" : before}` : `after ${after}`);
      yield* chosen.slice(from, from + PAGE);
    }
  }
  const grow = (to: number): unknown => all.push(...longJournal(to).slice(all.length));
  return { data: new JournalData(read), pages, grow, read };
}

const signal = new AbortController().signal;
const everything = (): boolean => true;
const seqs = (data: JournalData): number[] => data.entries.value.map(({ seq }) => seq);
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, n) => from + n);

test("LIVE3 the newest page is read first, with one request, and a count says what is not loaded", async () => {
  const { data, pages } = journalOf(4_200);
  await data.readNewer(signal);
  expect(pages).toEqual(["before the end"]);
  expect(seqs(data)).toEqual(range(3_201, 4_200));
  expect(data.notLoaded.value).toBe(3_200);
});

test("LIVE3 the earlier entries follow page by page, until each is there once", async () => {
  const { data, pages } = journalOf(4_200);
  await data.readNewer(signal);
  await data.readOlder(signal, everything);
  expect(pages.slice(1)).toEqual(["before 3201", "before 2201", "before 1201", "before 201"]);
  expect(seqs(data)).toEqual(range(1, 4_200));
  expect([data.notLoaded.value, data.isLoadingOlder.value]).toEqual([0, false]);
});

test("LIVE3 entries that arrive while earlier ones load are added once", async () => {
  const { data, grow } = journalOf(3_000);
  await data.readNewer(signal);
  const older = data.readOlder(signal, everything);
  grow(5_500);
  await Promise.all([older, data.readNewer(signal), data.readNewer(signal)]);
  expect(seqs(data)).toEqual(range(1, 5_500));
});

test("LIVE3 a hundred thousand entries are published in few parts", async () => {
  const { data } = journalOf(100_000);
  await data.readNewer(signal);
  let parts = 0;
  data.entries.subscribe(() => parts++);
  await data.readOlder(signal, everything);
  expect(data.entries.value.length).toBe(100_000);
  expect(parts).toBeLessThan(20);
});

test("LIVE3 the background stops at a bound of characters, and the reader loads more", async () => {
  const { data } = journalOf(5_000, "x".repeat(16_384));
  await data.readNewer(signal);
  await data.readOlder(signal, () => data.hasRoom());
  expect(data.notLoaded.value).toBe(2_000);
  await data.readOlder(signal, (pages) => pages < 1);
  expect(data.notLoaded.value).toBe(1_000);
});

test("LIVE3 a short journal is whole after one request, and an empty one too", async () => {
  for (const count of [0, 1, PAGE]) {
    const { data, pages, grow } = journalOf(count);
    await data.readNewer(signal);
    await data.readOlder(signal, everything);
    expect([pages.length, seqs(data).length, data.notLoaded.value]).toEqual([1, count, 0]);
    grow(count + 2);
    await data.readNewer(signal);
    expect(seqs(data)).toEqual(range(1, count + 2));
  }
});

test("LIVE3 a failed page leaves what is loaded, and the next call continues", async () => {
  const { data: whole, read } = journalOf(2_500);
  await whole.readNewer(signal);
  let fails = true;
  const data = new JournalData((options) => {
    if (options.before !== undefined && fails) throw new Error("lost");
    return read(options);
  });
  await data.readNewer(signal);
  await expect(data.readOlder(signal, everything)).rejects.toThrow("lost");
  expect([data.notLoaded.value, data.isLoadingOlder.value]).toEqual([1_500, false]);
  fails = false;
  await data.readOlder(signal, everything);
  expect(seqs(data)).toEqual(range(1, 2_500));
});
