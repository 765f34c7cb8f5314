/** The parts of the crash test that the demo uses too: the counter server, and the client of the HTTP API. */
export { Api, type JournalEntry, type RunRecord, type StepRecord } from "./api.ts";
export { CounterServer, type Hit } from "./counter-server.ts";
