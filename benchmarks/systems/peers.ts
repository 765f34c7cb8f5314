/**
 * The optional peers of `pnpm bench --peers`.
 *
 * Owns: which of them take part, and the notes of the report about that. A peer that cannot start is left out; the others
 * and all of Holdfast are measured.
 */
import { startDbos } from "./dbos.ts";
import { PEER_VERSIONS, installPeers } from "./install.ts";
import { startRestate } from "./restate.ts";
import type { System } from "./system.ts";

export interface Peers {
  readonly systems: readonly System[];
  /** A sentence for each peer. */
  readonly notes: readonly string[];
  dispose(): Promise<void>;
}

interface Optional {
  readonly name: string;
  /** Said if it takes part. */
  readonly note: string;
  readonly start: () => Promise<System & { dispose(): Promise<void> }>;
}

const RESTATE: Optional = {
  name: "Restate",
  note: `Restate: server ${PEER_VERSIONS["@restatedev/restate-server"]} with storage on disk, and a Node service with its SDK ${PEER_VERSIONS["@restatedev/restate-sdk"]}.`,
  start: startRestate,
};

const DBOS: Optional = {
  name: "DBOS",
  note: `DBOS: ${PEER_VERSIONS["@dbos-inc/dbos-sdk"]} inside the process of the client, with PostgreSQL. It is no part of the measure after a kill, because that would kill the client.`,
  async start() {
    const url = process.env["PGURL"];
    if (url === undefined)
      throw new Error("the variable PGURL names no PostgreSQL (postgres://user@host:port/database)");
    return startDbos(url);
  },
};

export async function startPeers(progress: (text: string) => void): Promise<Peers> {
  progress("installing the peers");
  try {
    installPeers();
  } catch (error) {
    return { systems: [], notes: [`Restate and DBOS were skipped: ${messageOf(error)}`], dispose: async () => {} };
  }
  const started: (System & { dispose(): Promise<void> })[] = [];
  const notes: string[] = [];
  for (const { name, note, ...peer } of [RESTATE, DBOS]) {
    progress(`starting ${name}`);
    try {
      started.push(await peer.start());
      notes.push(note);
    } catch (error) {
      notes.push(`${name} was skipped: ${messageOf(error)}.`);
    }
  }
  return {
    systems: started,
    notes,
    async dispose() {
      for (const system of started) await system.dispose();
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
