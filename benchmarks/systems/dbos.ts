/**
 * DBOS: a library inside this process, with the PostgreSQL of the variable `PGURL`.
 *
 * Owns: its start, and its schema in the database, which it drops at the end.
 */
import { resultOf } from "../workers/workflows.ts";
import { importPeer } from "./install.ts";
import type { System, Work } from "./system.ts";

const SCHEMA = "holdfast_bench";
/** The longest wait for a signal, s. */
const WAIT_S = 3_600;

type Run = (work: Work) => Promise<number>;

interface Handle {
  getResult(): Promise<number>;
}

/** The part of the library that is used. */
interface Sdk {
  readonly workflowID: string | undefined;
  setConfig(config: object): void;
  launch(): Promise<void>;
  shutdown(): Promise<void>;
  registerWorkflow(run: Run, options: { readonly name: string }): Run;
  startWorkflow(run: Run, options: { readonly workflowID: string }): (work: Work) => Promise<Handle>;
  runStep<T>(action: () => Promise<T>, options: { readonly name: string }): Promise<T>;
  send(id: string, message: string, topic: string): Promise<void>;
  recv(topic: string, seconds: number): Promise<unknown>;
}

interface Client {
  connect(): Promise<void>;
  query(text: string): Promise<unknown>;
  end(): Promise<void>;
}

export async function startDbos(databaseUrl: string): Promise<Dbos> {
  const { DBOS } = (await importPeer("@dbos-inc/dbos-sdk")) as { readonly DBOS: Sdk };
  // An interrupted measurement leaves runs, whose ids are used again.
  await dropSchema(databaseUrl);
  DBOS.setConfig({
    name: "holdfast-bench",
    applicationVersion: "bench",
    systemDatabaseUrl: databaseUrl,
    systemDatabaseSchemaName: SCHEMA,
    logLevel: "error",
    runAdminServer: false,
  });
  const dbos = new Dbos(DBOS, databaseUrl);
  await DBOS.launch();
  return dbos;
}

class Dbos implements System {
  readonly what = "DBOS";
  readonly who = "peer";
  readonly #sdk: Sdk;
  readonly #databaseUrl: string;
  readonly #workflow: Run;
  readonly #handles = new Map<string, Handle>();
  /** Called when a run waits, by its id. */
  readonly #parked = new Map<string, () => void>();

  constructor(sdk: Sdk, databaseUrl: string) {
    this.#sdk = sdk;
    this.#databaseUrl = databaseUrl;
    this.#workflow = sdk.registerWorkflow((work) => this.#execute(work), { name: "work" });
  }

  async #execute({ n, chars, waits }: Work): Promise<number> {
    const results: unknown[] = [];
    for (let i = 0; i < n; i++) {
      results.push(await this.#sdk.runStep(async () => resultOf(i, chars), { name: "step" }));
    }
    if (waits) {
      this.#parked.get(this.#sdk.workflowID ?? "")?.();
      await this.#sdk.recv("go", WAIT_S);
    }
    return n;
  }

  async run(id: string, work: Work): Promise<void> {
    await (await this.#start(id, work)).getResult();
  }

  async park(id: string, work: Work): Promise<void> {
    const waits = new Promise<void>((resolve) => this.#parked.set(id, resolve));
    await this.#start(id, work);
    await waits;
  }

  async result(id: string): Promise<void> {
    await this.#handles.get(id)?.getResult();
  }

  async signal(id: string): Promise<void> {
    await this.#sdk.send(id, "go", "go");
  }

  async dispose(): Promise<void> {
    await this.#sdk.shutdown();
    await dropSchema(this.#databaseUrl);
  }

  async #start(id: string, work: Work): Promise<Handle> {
    const handle = await this.#sdk.startWorkflow(this.#workflow, { workflowID: id })(work);
    this.#handles.set(id, handle);
    return handle;
  }
}

async function dropSchema(connectionString: string): Promise<void> {
  const { default: pg } = (await importPeer("pg")) as {
    readonly default: { readonly Client: new (options: object) => Client };
  };
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query(`DROP SCHEMA IF EXISTS ${SCHEMA} CASCADE`);
  await client.end();
}
