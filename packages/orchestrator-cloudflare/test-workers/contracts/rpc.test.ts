import { pipeContract } from "./setup.ts";

pipeContract("rpc", "a sibling Worker over RPC");
