/** tests: the container file and the compose example, linted; and run, where a docker daemon is */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DCLinter } from "dclint";
import { validate } from "dockerfile-utils";
import { afterAll, describe, expect, test } from "vitest";
import { parse } from "yaml";

const FOLDER = join(import.meta.dirname, "..");
const REPOSITORY = join(FOLDER, "../..");
const read = (file: string): string => readFileSync(join(FOLDER, file), "utf8");

/** The instructions of the last stage, with continued lines as one. */
const [, runtime = ""] = /\nFROM debian[^\n]*\n([^]*)$/.exec(read("Dockerfile").replaceAll("\\\n", " ")) ?? [];
const instruction = (name: string): string => new RegExp(`^${name} (.*)$`, "m").exec(runtime)?.[1] ?? "";

interface Service {
  readonly image?: string;
  readonly ports?: readonly string[];
  readonly volumes: readonly string[];
  readonly environment: Readonly<Record<string, string | null>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly cap_drop?: readonly string[];
  readonly read_only?: boolean;
  readonly user?: string;
  readonly privileged?: boolean;
}

interface Finding {
  readonly type: string;
  readonly rule: string;
  readonly message: string;
}

const { services, volumes } = parse(read("compose.yaml")) as {
  readonly services: Readonly<Record<"holdfast" | "caddy", Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
};

describe("the container file", () => {
  test("SEC1 has no errors, and names the version of each image", () => {
    expect(validate(read("Dockerfile")).map(({ message }) => message)).toEqual([]);
    for (const [, image = ""] of read("Dockerfile").matchAll(/^FROM (\S+)/gm))
      expect(image).toMatch(/:[\w.-]*\d|bookworm/);
    expect(read("Dockerfile")).not.toMatch(/:latest|^ADD |API_TOKENS=[^…]/m);
  });

  test("SEC1 runs without root, with its data in a volume that belongs to its user", () => {
    const user = instruction("USER");
    expect(user).toMatch(/^[1-9]\d+$/);
    expect(runtime).toContain(`useradd --system --uid ${user} `);
    const volume = instruction("VOLUME");
    expect(runtime).toMatch(new RegExp(`install --directory --owner holdfast .*${volume}`));
    expect(instruction("ENV")).toContain(`HOLDFAST_DATA=${volume} HOLDFAST_ADDRESS=0.0.0.0:${instruction("EXPOSE")}`);
  });

  test("DUR1 asks for its health, and starts by the script that passes signals on", () => {
    expect(runtime).toMatch(/^HEALTHCHECK .*"http:\/\/127\.0\.0\.1:8787\/healthz"\]$/m);
    expect(JSON.parse(instruction("ENTRYPOINT"))).toEqual(["/opt/holdfast/container.sh"]);
    expect(runtime).toMatch(/^COPY .*container\.sh \/opt\/holdfast\/$/m);
  });

  test("SEC1 gets no secrets and no packages of this machine from the folder of the repository", () => {
    const ignored = read("Dockerfile.dockerignore").trim().split("\n");
    expect(ignored).toEqual(
      expect.arrayContaining([".git", "**/node_modules", "**/.env*", "**/.dev.vars*", "**/data"]),
    );
  });
});

describe("the compose example", () => {
  test("SEC1 has no errors by the schema of Compose", () => {
    // The proxy serves the public on purpose.
    const rules = { "no-unbound-port-interfaces": 0 } as const;
    const linter = new DCLinter({ rules, quiet: true, debug: false, exclude: [] });
    const files: readonly { readonly messages: readonly Finding[] }[] = linter.lintFiles(
      [join(FOLDER, "compose.yaml")],
      false,
    );
    const errors = files.flatMap(({ messages }) => messages.filter(({ type }) => type === "error"));
    expect(errors.map(({ rule, message }) => `${rule}: ${message}`)).toEqual([]);
  });

  test("SEC1 only the proxy has ports, and it starts when Holdfast is healthy", () => {
    const { holdfast, caddy } = services;
    expect(holdfast.ports).toBeUndefined();
    expect(holdfast).toMatchObject({ read_only: true, cap_drop: ["ALL"] });
    expect([holdfast.user, holdfast.privileged]).toEqual([undefined, undefined]);
    expect(caddy.ports).toEqual(["80:80", "443:443", "443:443/udp"]);
    expect(caddy.depends_on).toEqual({ holdfast: { condition: "service_healthy" } });
    expect(read("Caddyfile")).toContain(`reverse_proxy holdfast:${instruction("EXPOSE")} {`);
  });

  test("DUR1 the runs are in a volume with a name, at the place of the container file", () => {
    expect(services.holdfast.volumes).toEqual([`runs:${instruction("VOLUME")}`]);
    expect(Object.keys(volumes)).toContain("runs");
  });

  test("SEC9 it passes every variable of the executable and of start.sh on, and needs a domain and tokens", () => {
    const known = [...read("config.capnp").matchAll(/fromEnvironment = "([A-Z_]+)"/g)].map(([, name = ""]) => name);
    const passed = Object.keys(services.holdfast.environment);
    const wanted = [...known.filter((name) => name !== "HOLDFAST_STARTED"), "DUE_PER_SECOND"];
    expect(passed.toSorted()).toEqual(wanted.toSorted());
    const required = JSON.stringify(services).match(/\$\{(\w+):\?/g) ?? [];
    expect(new Set(required)).toEqual(new Set(["${HOLDFAST_DOMAIN:?", "${API_TOKENS:?"]));
  });
});

/** Runs docker, and returns what it prints. */
function docker(args: readonly string[], timeout = 60_000, env: NodeJS.ProcessEnv = {}): string {
  const result = spawnSync("docker", args, { cwd: FOLDER, encoding: "utf8", timeout, env: { ...process.env, ...env } });
  if (result.status !== 0) throw new Error(`docker ${args.join(" ")}: ${result.stderr}`);
  return result.stdout.trim();
}

const hasDaemon = spawnSync("docker", ["info"], { timeout: 10_000 }).status === 0;
const hasCompose = hasDaemon && spawnSync("docker", ["compose", "version"]).status === 0;

describe.skipIf(!hasDaemon)("a container", () => {
  const image = "holdfast-test";
  const name = `holdfast-test-${process.pid}`;
  const health = (): string => docker(["inspect", "--format", "{{.State.Health.Status}}", name]);
  const start = (): string =>
    docker([
      "run",
      "--detach",
      "--name",
      name,
      "--volume",
      `${name}:/var/lib/holdfast`,
      "--env",
      `API_TOKENS=${TOKEN}`,
      image,
    ]);
  const ask = (path: string, ...more: string[]): string =>
    docker([
      "exec",
      name,
      "curl",
      "-sS",
      "-H",
      `Authorization: Bearer ${TOKEN}`,
      ...more,
      `http://127.0.0.1:8787${path}`,
    ]);
  const TOKEN = "a-token-of-this-container";

  afterAll(() => {
    spawnSync("docker", ["rm", "--force", "--volumes", name]);
    spawnSync("docker", ["volume", "rm", "--force", name]);
  });

  test(
    "DUR1 becomes healthy, runs without root, and keeps its runs when it is replaced",
    { timeout: 600_000 },
    async () => {
      docker(["build", "--file", join(FOLDER, "Dockerfile"), "--tag", image, REPOSITORY], 500_000);
      start();
      await expect.poll(health, { timeout: 60_000, interval: 1_000 }).toBe("healthy");
      expect(docker(["exec", name, "id", "-u"])).toBe(instruction("USER"));
      const run = JSON.stringify({ workflowId: "order", runId: "kept", input: { orderId: "o", cents: 1 } });
      ask("/api/runs", "-H", "Content-Type: application/json", "-d", run);
      const stopped = Date.now();
      docker(["stop", name]);
      // Not 10 s, after which docker kills a process that gets no signal.
      expect(Date.now() - stopped).toBeLessThan(8_000);
      for (const line of docker(["logs", name]).split("\n")) expect(typeof JSON.parse(line)).toBe("object");
      docker(["rm", name]);
      start();
      await expect.poll(health, { timeout: 60_000, interval: 1_000 }).toBe("healthy");
      expect(JSON.parse(ask("/api/runs/kept"))).toMatchObject({ id: "kept" });
    },
  );
});

describe.skipIf(!hasCompose)("the compose example with a daemon", () => {
  const env = { HOLDFAST_DOMAIN: "localhost", API_TOKENS: "a-token-of-this-container" };
  const compose = ["compose", "--project-name", `holdfast-test-${process.pid}`];

  afterAll(() => {
    spawnSync("docker", [...compose, "down", "--volumes"], { cwd: FOLDER, env: { ...process.env, ...env } });
  });

  test("SEC1 serves the API over TLS by Caddy", { timeout: 600_000 }, async () => {
    docker([...compose, "up", "--build", "--detach", "--wait"], 500_000, env);
    const health = (): string => spawnSync("curl", ["-sSk", "https://localhost/healthz"], { encoding: "utf8" }).stdout;
    await expect.poll(health, { timeout: 60_000, interval: 1_000 }).toContain('"ok":true');
  });
});
