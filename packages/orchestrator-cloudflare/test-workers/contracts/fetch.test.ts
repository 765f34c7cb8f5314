import { pipeContract } from "./setup.ts";

pipeContract("fetch", "a sibling Worker over fetch");
