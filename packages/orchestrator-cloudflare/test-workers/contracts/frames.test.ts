import { pipeContract } from "./setup.ts";

pipeContract("frames", "a Node process over frames of a connection");
