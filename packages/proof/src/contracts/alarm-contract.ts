/**
 * The alarm suite: what the platform does with an alarm that a handler sets, in the model and in real workerd.
 *
 * Owns: the scripts and their results, which are the same for both. Call it in a test file: `alarmContract("in memory",
 * open)`.
 */
import { alarmToSet } from "@holdfast/orchestrator";
import { expect, test } from "vitest";

/** The alarm as its handler sees it. Times are in ms since 1970. */
export interface AlarmInHandler {
  readonly now: number;
  /** The time for which the alarm was set. */
  readonly inFlight: number;
  shown(): Promise<number | null>;
  set(at: number): void;
}

export interface AlarmUnderTest {
  /**
   * Sets the alarm to a time that comes soon, and calls `fired` in the handler of each alarm. Resolves when no more alarm
   * fires, with the alarm that the storage shows then.
   */
  run(fired: (alarm: AlarmInHandler) => Promise<void>): Promise<number | null>;
}

/** The number of alarms after which a script stops. */
const FIRED_MAX = 200;

export function alarmContract(name: string, open: () => AlarmUnderTest): void {
  test(`DUR5 no alarm is set while the handler of an alarm starts (${name})`, async () => {
    const shown: (number | null)[] = [];
    const left = await open().run(async (alarm) => void shown.push(await alarm.shown()));
    expect([shown, left]).toEqual([[null], null]);
  });

  test(`DUR5 an alarm that the platform ignores was set to the time in flight, and is shown forever (${name})`, async () => {
    let fired = 0;
    let last = { at: 0, inFlight: 0 };
    const left = await open().run(async (alarm) => {
      fired += 1;
      if (fired === FIRED_MAX) return;
      last = { at: alarm.now, inFlight: alarm.inFlight };
      alarm.set(alarm.now);
    });
    // Real workerd calls the handler in the millisecond of the alarm only on a fast machine: then all alarms fire.
    if (fired === FIRED_MAX && left === null) return;
    expect(last).toEqual({ at: left, inFlight: left });
  });

  test(`DUR5 each alarm fires whose time alarmToSet returned for a past time, for now and for the time in flight (${name})`, async () => {
    let fired = 0;
    const left = await open().run(async (alarm) => {
      fired += 1;
      if (fired > 60) return;
      const { now, inFlight } = alarm;
      alarm.set(alarmToSet([0, now, inFlight][fired % 3] as number, { now, inFlight }));
    });
    expect([fired, left]).toEqual([61, null]);
  });
}
