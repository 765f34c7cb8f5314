/** What the demo shares with the crash test: the outside world that counts, and the HTTP API. */
export { Api, type JournalEntry, type RunRecord, type StepRecord } from "./api.ts";
export { CounterServer, type Hit } from "./counter-server.ts";
