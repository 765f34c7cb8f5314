import { pipeContract } from "./setup.ts";

pipeContract("http", "a Node process over HTTP");
