import { hostContract } from "@holdfast/proof/contracts";
import { catalogue } from "../workflows.ts";
import { openHost, prepareContracts } from "./setup.ts";

prepareContracts();
hostContract("real workerd, inline", { entries: catalogue, prefix: "w", open: openHost });
