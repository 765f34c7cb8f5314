/** A violation that an oracle found. */
export interface Finding {
  readonly oracle:
    | "acknowledged"
    | "alarm"
    | "cold replay"
    | "compensation"
    | "effects"
    | "flags"
    | "index"
    | "journal"
    | "metadata"
    | "outcome"
    | "progress"
    | "replay order"
    | "resume"
    | "terminal";
  readonly text: string;
}
