/** The Node process: serves the workflows to the orchestrator, signed requests only. `node steps.ts <port> <key> <file> <server>`. */
import { createStepHandler } from "@holdfast/workflows/handler";
import { Accounts } from "./accounts.ts";
import { servers } from "./servers.ts";
import { transferBetween } from "./transfer.ts";

const [port = "8788", key = "", file = "accounts.sqlite", server = "node"] = process.argv.slice(2);

const accounts = new Accounts(file);
accounts.book("opening balance", "alice", 10_000);

const handler = createStepHandler({ workflows: [transferBetween(accounts)], signingKeys: [key] });

const listen = servers[server];
if (listen === undefined) throw new Error(`STEPS_SERVER is one of ${Object.keys(servers).join(", ")}, not "${server}"`);
listen(handler, Number(port), () => console.log(`steps are served on port ${port}, by ${server}`));
