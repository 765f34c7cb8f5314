/**
 * Copies of a stored run: a folder with as many runs as nobody would trigger one by one.
 *
 * Owns: the files of the copies, and their alarms. A copy is the file of a run with another id and another time of its alarm.
 * The ids have the same length, so the bytes of the id are replaced in place.
 */
import { createHmac, createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** The key of the namespace of runs in config.capnp of the self-hosted server. */
const UNIQUE_KEY = "holdfast-runs";
const ID_BYTES = 16;

export interface Copies {
  /** The folder of the server's data. No process uses it. */
  readonly data: string;
  /** The run that is copied. */
  readonly runId: string;
  readonly ids: readonly string[];
  /** The time of the alarm of each copy, ms since the epoch. */
  readonly alarmAt: (place: number) => number;
}

/** Returns the id that workerd gives to the object with a name. It is the name of the object's file. */
function objectIdOf(name: string): string {
  const key = createHash("sha256").update(UNIQUE_KEY).digest();
  const hmac = (text: string | Buffer): Buffer => createHmac("sha256", key).update(text).digest().subarray(0, ID_BYTES);
  const base = hmac(name);
  return Buffer.concat([base, hmac(base)]).toString("hex");
}

/** @throws Error if the run is not stored, or if its file has another form than this code knows. */
export function copyRun({ data, runId, ids, alarmAt }: Copies): void {
  const folder = join(data, "holdfast-runs");
  const file = (id: string): string => join(folder, `${objectIdOf(id)}.sqlite`);
  if (!existsSync(file(runId))) throw new Error(`${file(runId)} does not exist: workerd derives ids in another way`);
  const earlier = fold(file(runId));
  const template = readFileSync(file(runId));
  for (const [place, id] of ids.entries()) {
    if (id.length !== runId.length) throw new Error(`the id ${id} must have the length of ${runId}`);
    const bytes = Buffer.from(template);
    replace(bytes, Buffer.from(runId), Buffer.from(id));
    const at = alarmAt(place);
    // The alarm: in nanoseconds in the row of workerd, and in milliseconds in the header of the run.
    replace(bytes, bigEndian(earlier * 1_000_000n), bigEndian(BigInt(at) * 1_000_000n));
    replace(bytes, littleEndian(Number(earlier)), littleEndian(at));
    writeFileSync(file(id), bytes);
  }
  setAlarms(join(folder, "metadata.sqlite"), ids, alarmAt);
}

/** Puts the log of a database into its file. Returns the time of the run's alarm, ms. */
function fold(file: string): bigint {
  const database = new DatabaseSync(file);
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  const row = database.prepare("SELECT value / 1000000 AS ms FROM _cf_METADATA WHERE key = 1").get();
  database.close();
  return BigInt(Number(row?.["ms"]));
}

function replace(bytes: Buffer, from: Buffer, to: Buffer): void {
  for (let at = bytes.indexOf(from); at >= 0; at = bytes.indexOf(from, at + from.length)) to.copy(bytes, at);
}

function bigEndian(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
}

function littleEndian(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

function setAlarms(file: string, ids: readonly string[], alarmAt: (place: number) => number): void {
  const database = new DatabaseSync(file);
  database.exec("BEGIN");
  const put = database.prepare("INSERT OR REPLACE INTO _cf_ALARM VALUES (?, ?, ?)");
  for (const [place, id] of ids.entries()) put.run(objectIdOf(id), BigInt(alarmAt(place)) * 1_000_000n, id);
  database.exec("COMMIT");
  database.close();
}
