/**
 * Creating a run.
 *
 * Owns: the defaults from the definition of the workflow (RUN4, RUN6), the refusal of a workflow that is not served, RUN2 (one run for one id, however often it is requested), RUN3 (the recorded attributes of a run), and the storage
 * of the state that a resumed run takes over (RES1–RES4).
 */
import {
  FORMAT_VERSION,
  NEWEST_FLAGS,
  type WorkflowDescription,
  changeMetadata,
  decodeValue,
  defined,
  isSameValue,
} from "@holdfast/protocol";
import { EMPTY_OUTBOX } from "../host/outbox.ts";
import { topicName } from "../topic/messages.ts";
import { keyProblem, readEventPath, textOfKey } from "../where/paths.ts";
import { Draft } from "./draft/draft.ts";
import { type Plan, listOf } from "../flow/plan.ts";
import { answerStart, follow, sharesKey } from "./followers.ts";
import { plannedHolds } from "./holds.ts";
import type { HostContext, Reply } from "./draft/inputs.ts";
import { wake } from "./lifecycle.ts";
import { type Inheritance, type RunMessage, type TriggerInput, bodiesOf } from "./state/messages.ts";
import { post } from "./draft/outbox.ts";
import {
  INHERITED_KEY,
  INPUT_KEY,
  type InheritedRow,
  type InputRow,
  TOKEN_PREFIX,
  type TokenRow,
} from "./state/rows.ts";
import { markFeature } from "./releases.ts";
import type { RunHeader, Undescribed } from "./state/run-header.ts";
import type { RunIdentity } from "./state/run-identity.ts";
import { UNDESCRIBED } from "./undescribed.ts";
import { type RunState, markNewerInput, readInherited, readInput } from "./state/run-state.ts";

/** The longest input in the header, in characters. A longer one gets its own row and is not rewritten with the header. */
const HEADER_INPUT_CHARS_MAX = 4_096;

export function trigger(state: RunState, input: TriggerInput, context: HostContext): [Draft, Reply] {
  const draft = new Draft(state, context);
  if (state.header !== undefined) {
    markNewerInput(state, state.header);
    // `transition` rejects the trigger if the stored input cannot be compared (VER4).
    return [draft, state.newer === undefined ? answerRepeated(draft, input) : { type: "exists" }];
  }
  if (context.workflow === null) return [draft, refuseUnserved(input)];
  const { plan } = context;
  if (plan !== undefined && "code" in plan) return [draft, { type: "refused", ...plan }];
  const large = input.input.length > HEADER_INPUT_CHARS_MAX;
  const identity = withDefaults(input.identity, context.workflow);
  draft.replace(newHeader({ ...input, identity }, draft.now, large, context.flags));
  if (plan !== undefined) takeHolds(draft, plan, input.granted);
  if (input.undescribed !== undefined) markUndescribed(draft, input.undescribed);
  if (large) draft.put(INPUT_KEY, { v: FORMAT_VERSION, input: input.input } satisfies InputRow);
  cancelOnEvents(draft, input.input, context.workflow ?? input.listed);
  if (input.inherited !== undefined) takeOver(draft, input.inherited);
  if (input.inherited !== undefined && context.canSend) {
    noteAtParent(draft, input.inherited);
  }
  if (input.delayMs === undefined) wake(draft);
  return [draft, { type: "created" }];
}

function markUndescribed(draft: Draft, undescribed: Undescribed): void {
  draft.change({ undescribed });
  markFeature(draft, UNDESCRIBED);
}

/** Stores the input again: in the header, or in a row of its own. */
export function storeInput(draft: Draft, input: string): void {
  const large = input.length > HEADER_INPUT_CHARS_MAX;
  draft.change({ input: large ? undefined : input });
  if (large) draft.put(INPUT_KEY, { v: FORMAT_VERSION, input } satisfies InputRow);
}

/**
 * Adds the limits of the run (L1). Older code would execute it without them (VER4). `enqueuedAt`: the time of its place in each
 * queue. Default: when it first wants each limit.
 */
export function takeHolds(
  draft: Draft,
  { holds, priority }: Plan,
  granted: TriggerInput["granted"],
  enqueuedAt?: number,
): void {
  const planned = plannedHolds(draft.now, holds, granted);
  draft.change({
    holds: enqueuedAt === undefined ? planned : planned.map((hold) => ({ ...hold, enqueuedAt })),
    priority,
  });
  markFeature(draft, "holds");
}

/** Stores the topics whose first event cancels the run. A run whose input has no key at the path is not cancelled so. */
export function cancelOnEvents(draft: Draft, input: string, workflow: WorkflowDescription | undefined): void {
  const declared = workflow?.flow?.cancelOn ?? [];
  if (declared.length === 0 || draft.context.coordinates !== true) return;
  const value = decodeValue(input);
  const topics = declared.flatMap(({ event, key }) => {
    const found = textOfKey(readEventPath(value, key));
    return keyProblem(found) === undefined ? [topicName(event.name, String(found))] : [];
  });
  if (topics.length > 0) draft.change({ cancelOn: [...new Set(topics)] });
}

/** Adds what the workflow's definition says to what the trigger says (RUN4, RUN6). */
export function withDefaults<T extends Pick<RunIdentity, "workflowVersion" | "timeoutMs" | "tags">>(
  identity: T,
  described: WorkflowDescription | undefined,
): T {
  if (described === undefined) return identity;
  const { workflowVersion = described.version, timeoutMs = described.timeoutMs, tags } = identity;
  const allTags = [...new Set([...(described.tags ?? []), ...tags])];
  return { ...identity, workflowVersion, timeoutMs, tags: allTags };
}

function refuseUnserved({ identity }: TriggerInput): Reply {
  const { workflowId, workflowVersion: version } = identity;
  const which = version === undefined ? "" : ` in version ${JSON.stringify(version)}`;
  const message = `This deployment does not serve the workflow ${JSON.stringify(workflowId)}${which}. Add it to its list of workflows.`;
  return { type: "refused", code: "workflow_not_found", message };
}

function noteAtParent(draft: Draft, { parentRunId, by, parentCreatedAt: createdAt }: Inheritance): void {
  const note: RunMessage = { type: "noteResumed", runId: draft.header.id, ...defined({ by, createdAt }) };
  post(draft, { kind: "run", name: parentRunId }, note);
}

/** Answers a trigger for an existing id: the same request gets the existing run, and any other request is rejected. */
function answerRepeated(draft: Draft, input: TriggerInput): Reply {
  const { state, header } = draft;
  const isResumed = header.resumedFrom !== undefined || input.inherited !== undefined;
  const joins = !isResumed && sharesKey(header, input);
  const differs =
    header.workflowId !== input.identity.workflowId
      ? "another workflow"
      : !isSameInput(state, header, input.input)
        ? "another input"
        : !joins &&
            (header.resumedFrom?.runId ?? header.parent?.runId) !==
              (input.inherited?.parentRunId ?? input.parent?.runId)
          ? "another parent"
          : header.resumedFrom?.step !== input.inherited?.step || !sameOutcomes(state, input)
            ? "another way to resume"
            : undefined;
  if (differs === undefined) {
    if (joins) follow(draft, input.parent);
    else answerStart(draft, input.parent);
    return { type: "exists" };
  }
  return {
    type: "refused",
    code: "idempotency_conflict",
    message: `Run ${JSON.stringify(header.id)} already exists, with ${differs}. Nothing was changed. Choose another run id or idempotency key, or repeat the first request exactly.`,
  };
}

/** Compares with the input of a trigger. Of a batch that could not be collected, the stored one is a list. */
function isSameInput(state: RunState, header: RunHeader, given: string): boolean {
  const stored = readInput(state, header);
  if (isSameValue(stored, given)) return true;
  return header.batched === true && isSameValue(stored, listOf(given));
}

function sameOutcomes(state: RunState, input: TriggerInput): boolean {
  const stored = bodiesOf(readInherited(state));
  const given = input.inherited === undefined ? [] : bodiesOf(input.inherited);
  return JSON.stringify(stored) === JSON.stringify(given);
}

function newHeader(
  input: TriggerInput,
  now: number,
  large: boolean,
  flags: readonly number[] = NEWEST_FLAGS,
): RunHeader {
  const { inherited, unique } = input;
  return {
    ...input.identity,
    v: FORMAT_VERSION,
    status: "pending",
    input: large ? undefined : input.input,
    parent: input.parent,
    ...(input.heldAbove === undefined ? {} : { heldAbove: input.heldAbove }),
    seed: inherited?.seed ?? input.seed,
    ...(unique === undefined ? {} : { ...unique, uses: ["incarnation"] }),
    flags: inherited?.flags ?? flags,
    recordsPlaces: inherited === undefined ? true : inherited.recordsPlaces,
    number: inherited?.number ?? 1,
    resumedFrom: inherited && {
      runId: inherited.parentRunId,
      ...(inherited.step === undefined ? {} : { step: inherited.step }),
    },
    resumedBy: [],
    createdAt: now,
    startAt: input.delayMs === undefined ? undefined : now + input.delayMs,
    ...(input.delayMs === undefined ? {} : { delayMs: input.delayMs }),
    clockStart: inherited?.clockStart,
    updatedAt: now,
    epoch: 0,
    asked: 0,
    waits: [],
    inbox: { count: 0, chars: 0, next: 1 },
    deliveryIds: 0,
    metadata: [],
    streams: [],
    outbox: EMPTY_OUTBOX,
  };
}

function takeOver(draft: Draft, inherited: Inheritance): void {
  for (const entry of inherited.entries) {
    draft.inherit(entry);
    if (entry.type === "wait.released") markFeature(draft);
    if (entry.type !== "wait.opened" || entry.tokenId === undefined) continue;
    const token: TokenRow = { v: FORMAT_VERSION, op: entry.op, state: "resolved" };
    draft.put(TOKEN_PREFIX + entry.tokenId, token);
  }
  const { outcomes, lineage } = inherited;
  if (bodiesOf(inherited).length > 0) {
    draft.put(INHERITED_KEY, defined({ v: FORMAT_VERSION, outcomes, lineage }) satisfies InheritedRow);
  }
  const changes = inherited.entries.flatMap((entry) => (entry.type === "metadata.changed" ? [entry.change] : []));
  draft.change({ metadata: changes.reduce(changeMetadata, draft.header.metadata) });
}
