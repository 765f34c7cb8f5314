/** The systemd unit: what the process may do beyond its own folder and the network. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const UNIT = join(import.meta.dirname, "../holdfast.service");
const lines = readFileSync(UNIT, "utf8").split("\n");

/** Settings that `systemd-analyze security` counts, without which the process could do more than it needs. */
const RESTRICTIONS = [
  "UMask=0077",
  "StateDirectoryMode=0700",
  "CapabilityBoundingSet=",
  "AmbientCapabilities=",
  "NoNewPrivileges=yes",
  "PrivateUsers=yes",
  "ProtectSystem=strict",
  "ProtectHome=yes",
  "ProtectProc=invisible",
  "ProcSubset=pid",
  "ProtectClock=yes",
  "ProtectHostname=yes",
  "ProtectControlGroups=yes",
  "ProtectKernelLogs=yes",
  "ProtectKernelModules=yes",
  "ProtectKernelTunables=yes",
  "PrivateTmp=yes",
  "PrivateDevices=yes",
  "DevicePolicy=closed",
  "PrivateIPC=yes",
  "RemoveIPC=yes",
  "KeyringMode=private",
  "LockPersonality=yes",
  "RestrictNamespaces=yes",
  "RestrictRealtime=yes",
  "RestrictSUIDSGID=yes",
  "SystemCallArchitectures=native",
  "SystemCallFilter=@system-service",
];

test.each(RESTRICTIONS)("SEC1 the unit has %s", (line) => {
  expect(lines).toContain(line);
});

test("SEC1 the unit does not run as root, and does not forbid what V8 needs", () => {
  expect(lines.find((line) => line.startsWith("User="))).toBe("User=holdfast");
  expect(lines.filter((line) => /^(MemoryDenyWriteExecute|PrivateNetwork|DynamicUser)/.test(line))).toEqual([]);
});

const analyze = spawnSync("systemd-analyze", ["security", "--offline=true", "--threshold=20", UNIT], {
  encoding: "utf8",
});

test.skipIf(analyze.error !== undefined)("SEC1 systemd-analyze judges the unit's exposure as at most 2.0 of 10", () => {
  expect(analyze.status, analyze.stdout + analyze.stderr).toBe(0);
});
