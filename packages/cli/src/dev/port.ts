/**
 * The port of the local server.
 *
 * Owns: the choice of a free one, and the search for the process that holds one. The server listens on 127.0.0.1 only.
 */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { UsageError } from "../exit.ts";

export const DEFAULT_PORT = 8787;
const TRIES_MAX = 100;

/** Listens on the given port, or on the next free one from 8787 on. Returns the port. @throws UsageError */
export async function listen(server: Server, given: number | undefined): Promise<number> {
  if (given !== undefined) {
    if (await listensOn(server, given)) return (server.address() as AddressInfo).port;
    throw new UsageError(`Port ${given} is in use${byWhom(given)}. Give another one with --port, or leave --port out.`);
  }
  for (let port = DEFAULT_PORT; port < DEFAULT_PORT + TRIES_MAX; port++) {
    if (await listensOn(server, port)) return port;
  }
  throw new UsageError(
    `No port from ${DEFAULT_PORT} to ${DEFAULT_PORT + TRIES_MAX - 1} is free. Give one with --port.`,
  );
}

/** Returns `, by <command> (pid …)`, or nothing if the process belongs to another user. */
function byWhom(port: number): string {
  const pid = process.platform === "linux" ? holderOnLinux(port) : holderByLsof(port);
  return pid === undefined ? "" : `, by ${commandOf(pid)} (pid ${pid})`;
}

async function listensOn(server: Server, port: number): Promise<boolean> {
  try {
    await once(server.listen(port, "127.0.0.1"), "listening");
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EADDRINUSE") return false;
    if (code === "EACCES")
      throw new UsageError(`Port ${port} may not be used by this user. Give another one with --port.`);
    throw error;
  }
}

function holderOnLinux(port: number): number | undefined {
  const socket = inodeOf(port);
  if (socket === undefined) return undefined;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const files = readdirSync(`/proc/${pid}/fd`);
      if (files.some((file) => readlinkSync(`/proc/${pid}/fd/${file}`) === `socket:[${socket}]`)) return Number(pid);
    } catch {
      // The process ended, or belongs to another user.
    }
  }
  return undefined;
}

/** The inode of the socket that listens. `0A` is the state LISTEN. */
function inodeOf(port: number): string | undefined {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    const rows = readTable(table).map((line) => line.trim().split(/\s+/));
    const found = rows.find((row) => row[1]?.endsWith(suffix) === true && row[3] === "0A");
    if (found !== undefined) return found[9];
  }
  return undefined;
}

function readTable(file: string): readonly string[] {
  try {
    return readFileSync(file, "utf8").split("\n");
  } catch {
    return [];
  }
}

function holderByLsof(port: number): number | undefined {
  const { stdout } = spawnSync("lsof", ["-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-t"], { encoding: "utf8" });
  const pid = Number.parseInt(stdout ?? "", 10);
  return Number.isNaN(pid) ? undefined : pid;
}

function commandOf(pid: number): string {
  const { stdout } = spawnSync("ps", ["-o", "args=", "-p", String(pid)], { encoding: "utf8" });
  const command = (stdout ?? "").trim().slice(0, 120);
  return command === "" ? "another process" : JSON.stringify(command);
}
