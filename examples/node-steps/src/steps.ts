/** `node steps.ts <port> <key> <file> <server>`: the Node process. It serves the workflows, and accepts only signed requests. */
import { createStepHandler } from "@holdfast/workflows/handler";
import { Accounts } from "./accounts.ts";
import { servers } from "./servers.ts";
import { transferBetween } from "./transfer.ts";

const [port = "8788", key = "", file = "accounts.sqlite", server = "node"] = process.argv.slice(2);

const accounts = new Accounts(file);
accounts.book("opening balance", "alice", 10_000);

const handler = createStepHandler({
  workflows: [transferBetween(accounts)],
  signingKeys: [key],
  // The URL that the orchestrator calls (orchestrator.ts): requests to another handler with this key are refused.
  audience: `http://127.0.0.1:${port}/holdfast`,
});

const listen = servers[server];
if (listen === undefined)
  throw new Error(`STEPS_SERVER must be one of ${Object.keys(servers).join(", ")}, is "${server}"`);
listen(handler, Number(port), () => console.log(`serving steps on port ${port} with ${server}`));
