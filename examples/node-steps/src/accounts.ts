/**
 * Accounts in SQLite. A booking is made once per key, even if it is requested several times. So a step that executes
 * again does no harm.
 */
import { DatabaseSync } from "node:sqlite";

export class Accounts {
  readonly #db: DatabaseSync;

  constructor(file: string) {
    this.#db = new DatabaseSync(file);
    this.#db.exec("CREATE TABLE IF NOT EXISTS bookings (key TEXT PRIMARY KEY, account TEXT, cents INTEGER) STRICT");
  }

  book(key: string, account: string, cents: number): number {
    this.#db.prepare("INSERT OR IGNORE INTO bookings VALUES (?, ?, ?)").run(key, account, cents);
    return this.balanceOf(account);
  }

  balanceOf(account: string): number {
    const row = this.#db.prepare("SELECT SUM(cents) AS cents FROM bookings WHERE account = ?").get(account);
    return Number(row?.["cents"] ?? 0);
  }
}
