/** When the page reads again, with virtual time. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { REFRESH_MS_MIN, Refresher } from "../../src/live/refresher.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function refresh(results: ("done" | "retry" | "stop")[] = [], tookMs = 100) {
  const page = { isHidden: false, reads: 0 };
  const refresher = new Refresher({
    isHidden: () => page.isHidden,
    random: () => 0.5,
    read: async () => {
      page.reads++;
      await new Promise((resolve) => setTimeout(resolve, tookMs));
      return results.shift() ?? "done";
    },
  });
  return { page, refresher };
}

test("LIVE2 many changes cause few reads, and the last one is followed by a read", async () => {
  const { page, refresher } = refresh();
  for (let change = 0; change < 100; change++) {
    refresher.request();
    await vi.advanceTimersByTimeAsync(21);
  }
  await vi.advanceTimersByTimeAsync(60_000);
  expect(page.reads).toBe(Math.ceil(2_100 / REFRESH_MS_MIN) + 1);
});

test("LIVE2 a change during a read causes one more read", async () => {
  const { page, refresher } = refresh();
  refresher.request();
  await vi.advanceTimersByTimeAsync(50);
  refresher.request();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(page.reads).toBe(2);
});

test("LIVE2 a hidden page reads nothing, and reads once when it is shown", async () => {
  const { page, refresher } = refresh();
  page.isHidden = true;
  refresher.request();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(page.reads).toBe(0);
  page.isHidden = false;
  refresher.visibilityChanged();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(page.reads).toBe(1);
});

test("LIVE2 a failed read is repeated with growing pauses, a final one is not", async () => {
  const { page, refresher } = refresh(["retry", "retry", "retry", "stop"]);
  refresher.request();
  await vi.advanceTimersByTimeAsync(4_000);
  expect(page.reads).toBe(2);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(page.reads).toBe(4);
  refresher.request();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(page.reads).toBe(4);
});
