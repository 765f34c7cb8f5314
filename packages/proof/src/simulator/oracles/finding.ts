/** A violation that an oracle found. */
export interface Finding {
  readonly oracle:
    | "acknowledged"
    | "actions"
    | "acts"
    | "alarm"
    | "asks"
    | "body starts"
    | "budget"
    | "cancel"
    | "children"
    | "cleanup"
    | "cold replay"
    | "compensation"
    | "deaths"
    | "effects"
    | "flags"
    | "index"
    | "journal"
    | "metadata"
    | "outcome"
    | "progress"
    | "races"
    | "rejections"
    | "replay order"
    | "resume"
    | "rows"
    | "streams"
    | "terminal"
    | "times"
    | "why";
  readonly text: string;
}
