/**
 * The reasons of a run as JSON Schema (WHY1).
 */
import { WHY_ACTIONS, type WhyAction, type WhyEntry, type WhyTarget } from "@holdfast/protocol";
import { type JsonSchema, anything, listOf, object, oneOf, open, ref, text, time, whole } from "./json-schemas.ts";

export const WHY_ENTRY: JsonSchema = object<WhyEntry>({
  code: ref("WhyCode"),
  text: text,
  since: time,
  "until?": time,
  "for?": object<WhyTarget>(
    { kind: text, name: text, occurrence: whole, "runId?": text, "tokenId?": text },
    "The operation. `tokenId` needs the scope `deliver`.",
  ),
  "limit?": object<NonNullable<WhyEntry["limit"]>>(
    { name: text, "key?": text, "position?": whole },
    "`position`: the place in the queue when the limit last answered.",
  ),
  "topic?": object<NonNullable<WhyEntry["topic"]>>(
    { name: text, key: text, "full?": { const: true } },
    "`full`: as many runs wait for the events as may; the run asks again.",
  ),
  "link?": text,
  "attempt?": whole,
  "attemptsMax?": whole,
  "progress?": anything,
  "error?": object<NonNullable<WhyEntry["error"]>>({ "code?": text, message: text }),
  "more?": whole,
  "runId?": text,
  "level?": whole,
  actions: listOf(
    object<WhyAction>(
      {
        action: oneOf(...Object.keys(WHY_ACTIONS)),
        scope: text,
        "path?": text,
        "body?": open,
      },
      "An action that helps, and that the API accepts now: the id of its route.",
    ),
  ),
});
