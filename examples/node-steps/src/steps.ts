/** The Node process: serves the workflows to the orchestrator, signed requests only. `node steps.ts <port> <key> <file>`. */
import { serve } from "@hono/node-server";
import { createStepHandler } from "@holdfast/workflows/handler";
import { Accounts } from "./accounts.ts";
import { transferBetween } from "./transfer.ts";

const [port = "8788", key = "", file = "accounts.sqlite"] = process.argv.slice(2);

const accounts = new Accounts(file);
accounts.book("opening balance", "alice", 10_000);

const fetch = createStepHandler({ workflows: [transferBetween(accounts)], signingKeys: [key] });

serve({ fetch, port: Number(port), hostname: "127.0.0.1" }, () => console.log(`steps are served on port ${port}`));
