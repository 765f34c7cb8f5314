/** What an object of the floor does for a request. Shared by the Worker and the measures. */
export type FloorPipe = "inline" | "turns" | "timers" | "rpc" | "fetch" | "http" | "socket";

export interface FloorWork {
  readonly pipe: FloorPipe;
  /** The number of rows that it writes, with a message of the pipe before each. */
  readonly n: number;
  /** The length of the text in each row, and in each message towards the object, characters. */
  readonly chars?: number;
  /** Whether it first sets its alarm and writes one row more, as the header of a run. */
  readonly header?: boolean;
  /** Whether it first reads all its rows. */
  readonly reads?: boolean;
}
