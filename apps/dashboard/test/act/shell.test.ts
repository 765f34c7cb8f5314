/** tests: what the pages give to copy, executed by real shells */
import { execFileSync } from "node:child_process";
import { createServer } from "node:http";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import { newFields, prepare } from "../../src/act/forms.ts";
import { commandText, curlText, jsonLine, quoted } from "../../src/act/shell.ts";

const ORIGIN = "http://127.0.0.1:1";
const HOSTILE = [
  "plain",
  "",
  "it's",
  "'; touch /tmp/holdfast-was-here; '",
  '"$(touch /tmp/holdfast-was-here)"',
  "`id`",
  "$HOME ${PATH} $TOKEN",
  "a\\'b\\\\",
  "!event !!",
  "-rf",
  "--yes",
  "@/etc/passwd",
  "*?[a-z]{1,2}~",
  "line one\nline two\n",
  "\n",
  "tab\tbell\u0007",
  "\u0003\u001b[201~\nid\n",
  "\u0085\u009b31m",
  "right\u202eto left\u2066",
  "zero\u200bwidth\ufeff",
  "snowman \u2603, 😀, \u65e5\u672c",
  "#comment; a && b | c > d < e & f",
  "%s %d \\n",
  "x=y",
  "\ud800 lone",
];

const folder = mkdtempSync(join(tmpdir(), "holdfast-shell-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Prints its arguments and its input as JSON: stands for the commands that the lines name. */
const ECHO = `#!${process.execPath}
const stdin = process.argv.includes("--input=-") ? require("node:fs").readFileSync(0, "utf8") : undefined;
console.log(JSON.stringify({ args: process.argv.slice(2), stdin }));
`;
writeFileSync(join(folder, "npx"), ECHO);
chmodSync(join(folder, "npx"), 0o755);

const SHELLS = ["/bin/sh", "/bin/bash"];

/** A file with the line: it may be longer than an argument. */
function scriptOf(line: string): string {
  const file = join(folder, "script.sh");
  writeFileSync(file, line);
  return file;
}

function execute(shell: string, line: string): { readonly args: readonly string[]; readonly stdin?: string } {
  const env = { PATH: `${folder}:${process.env["PATH"]}`, TOKEN: "t0ken" };
  return JSON.parse(execFileSync(shell, [scriptOf(line)], { env, encoding: "utf8" })) as ReturnType<typeof execute>;
}

describe.each(SHELLS)("a line that %s executes", (shell) => {
  test("ACT2 has each hostile text as one argument", () => {
    const line = ["npx", ...HOSTILE.map((text) => quoted(text))].join(" ");
    expect(execute(shell, line).args).toEqual(HOSTILE.map((text) => text.toWellFormed()));
  });

  test.each(HOSTILE.filter((text) => text !== ""))("ACT2 names the signal %j of a run with a hostile id", (name) => {
    const fields = newFields({ name, json: JSON.stringify({ text: name }), id: "d1" });
    const { command } = prepare("deliverSignal", `run '${name.replaceAll(/\p{Cc}/gu, "")}`, fields, ORIGIN);
    const { args } = execute(shell, commandText(command!) ?? "");
    expect(args.slice(0, 4)).toEqual(["holdfast", "signal", "--delivery-id=d1", expect.stringMatching(/^--input=\{/)]);
    expect(JSON.parse(args[3]!.slice("--input=".length))).toEqual({ text: name });
    expect(args.slice(-2)).toEqual([`run '${name.replaceAll(/\p{Cc}/gu, "")}`.toWellFormed(), name.toWellFormed()]);
  });

  test("ACT2 has a reason, and a long value as its input", () => {
    const reason = prepare("terminateRun", "-r", newFields({ reason: "it's\nstuck" }), ORIGIN);
    expect(execute(shell, commandText(reason.command!) ?? "").args).toEqual([
      "holdfast",
      "terminate",
      "--reason=it's\nstuck",
      `--url=${ORIGIN}`,
      "--",
      "-r",
    ]);
    const value = "it's €".repeat(60_000);
    const long = prepare("resolveToken", "r", newFields({ tokenId: "t", json: JSON.stringify(value) }), ORIGIN);
    const { stdin = "", args } = execute(shell, commandText(long.command!) ?? "");
    expect(args).toContain("--input=-");
    expect(JSON.parse(stdin)).toBe(value);
  });
});

describe("curl", () => {
  async function received(
    line: (origin: string) => string,
  ): Promise<{ readonly url: string; readonly body: string; readonly token: string }> {
    const server = createServer((request, response) => {
      let body = "";
      request.on("data", (part: Buffer) => (body += part.toString("latin1")));
      request.on("end", () => {
        const text = Buffer.from(body, "latin1").toString("utf8");
        response.end(
          JSON.stringify({ url: `${request.method} ${request.url}`, body: text, token: request.headers.authorization }),
        );
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { readonly port: number };
    const { stdout } = await promisify(execFile)("/bin/sh", [scriptOf(line(`http://127.0.0.1:${port}`))], {
      env: { ...process.env, TOKEN: "t0ken" },
    });
    server.close();
    return JSON.parse(stdout) as Awaited<ReturnType<typeof received>>;
  }

  test.each(HOSTILE.filter((text) => text !== ""))(
    "ACT2 sends the request of a form with the text %j",
    async (text) => {
      const runId = `run/${text.replaceAll(/\p{Cc}/gu, "")}'`.toWellFormed();
      const { request } = prepare(
        "deliverEvent",
        runId,
        newFields({ name: text, json: JSON.stringify([text]), id: "d" }),
        ORIGIN,
      );
      const { url, body, token } = await received((origin) => curlText(origin, request));
      expect([url, token]).toEqual([`POST /api/runs/${encodeURIComponent(runId)}/events`, "Bearer t0ken"]);
      expect(JSON.parse(body)).toEqual({ eventType: text, payload: [text], deliveryId: "d" });
    },
  );

  test("ACT2 deletes a run, and sends a body that no argument can hold", async () => {
    const gone = prepare("deleteRun", "a b", newFields(), ORIGIN);
    expect(await received((origin) => curlText(origin, gone.request))).toMatchObject({ url: "DELETE /api/runs/a%20b" });
    const value = "€'".repeat(100_000);
    const long = prepare("deliverSignal", "r", newFields({ name: "s", json: JSON.stringify(value) }), ORIGIN);
    const { body } = await received((origin) => curlText(origin, long.request));
    expect((JSON.parse(body) as { readonly payload: unknown }).payload).toBe(value);
  });

  test("ACT2 a line has no character that nobody sees, and never the token", () => {
    for (const text of HOSTILE) {
      const { request, command } = prepare(
        "deliverSignal",
        "r",
        newFields({ name: text, json: JSON.stringify(text) }),
        ORIGIN,
      );
      for (const line of [curlText(ORIGIN, request), commandText(command!) ?? "", jsonLine(text)])
        expect(line).not.toMatch(
          // oxlint-disable-next-line no-control-regex -- These are the characters that must not be there.
          /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/,
        );
    }
  });

  test("ACT2 what no command can name has none", () => {
    expect(prepare("cancelRun", "-", newFields(), ORIGIN).command).toBeUndefined();
    expect(quoted("a\0b")).toBeUndefined();
  });
});
