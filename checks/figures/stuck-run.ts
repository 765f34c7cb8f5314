/**
 * The path from the status of a run to the cure, for docs/how-to/debug-a-stuck-run.md.
 *
 * Owns: the questions, their order, the field that answers each, and what to do.
 */
import { type Figure, type Tone, arrow, node, text } from "./svg.ts";

interface Question {
  readonly asks: string;
  /** The field of the record that answers it. */
  readonly field: string;
  readonly tone: Tone;
  /** What to do if the answer is yes. Words between backticks are typed. */
  readonly cures: readonly string[];
}

const QUESTIONS: readonly Question[] = [
  {
    asks: "1. Has the run ended?",
    field: "status: failed, cancelled, …",
    tone: "soft",
    cures: ["Read error. Fix the cause, deploy, then", "`holdfast resume ID`"],
  },
  {
    asks: "2. Is it paused?",
    field: "status: paused",
    tone: "lost",
    cures: [
      "With error: fix what error.code names, then",
      "`holdfast retry ID`",
      "Without: a person paused it.",
      "`holdfast unpause ID`",
    ],
  },
  {
    asks: "3. Is its code out of reach?",
    field: "dispatch",
    tone: "lost",
    cures: ["Read dispatch.message. Start the step handler,", "or end the hold. The run continues by itself."],
  },
  {
    asks: "4. Does a body execute?",
    field: "steps: running, since …",
    tone: "runs",
    cures: [
      "Look into the service that it calls. Give the step",
      "a timeout, deploy. To end the run:",
      "`holdfast terminate ID --reason TEXT`",
    ],
  },
  {
    asks: "5. Does it wait?",
    field: "why, pendingWaitpoints",
    tone: "waits",
    cures: [
      "For a delivery: send the name that why shows.",
      "For a retry, a limit or a child: look there.",
      "For a time that has passed: reading the run has",
      "set its alarm again.",
    ],
  },
];

const ROW = 92;
const TOP = 16;
const LEFT = 20;
const BOX = { width: 256, height: 56 };
const CURE_X = 372;
const LINE = 17;

export function drawStuckRun(): Figure {
  return {
    name: "stuck-run",
    title: "From the status of a run to the cure",
    description:
      "Five questions in this order. Has the run ended? Read error, fix the cause, deploy, then resume it. Is it paused? With an error: fix what error.code names, then retry it. Without one a person paused it: unpause it. Is its code out of reach? Read dispatch.message, then start the step handler or end the hold. Does a body execute? Give the step a timeout and deploy, or terminate the run. Does it wait? Send the delivery that why shows, or look at the retry, the limit or the child. Reading the run has set a lost alarm again.",
    width: 720,
    height: TOP + ROW * QUESTIONS.length - 4,
    parts: QUESTIONS.flatMap(drawQuestion),
  };
}

function drawQuestion({ asks, field, tone, cures }: Question, nth: number): readonly string[] {
  const y = TOP + nth * ROW;
  const middle = y + BOX.height / 2;
  const first = middle + 4 - ((cures.length - 1) * LINE) / 2;
  return [
    node({ x: LEFT, y, ...BOX }, { tone }),
    text({ x: LEFT + 14, y: y + 24 }, asks, { bold: true, size: 13 }),
    text({ x: LEFT + 14, y: y + 43 }, field, { tone: "soft", mono: true, size: 11 }),
    arrow(
      [
        { x: LEFT + BOX.width + 4, y: middle },
        { x: CURE_X - 12, y: middle },
      ],
      tone,
    ),
    text({ x: LEFT + BOX.width + 34, y: middle - 7 }, "yes", { tone: "soft", size: 11 }),
    ...cures.map((line, i) => drawCure(line, first + i * LINE)),
    ...(nth === QUESTIONS.length - 1 ? [] : drawNo(y + BOX.height)),
  ];
}

function drawCure(line: string, y: number): string {
  const typed = /^`(.*)`$/u.exec(line)?.[1];
  return typed === undefined
    ? text({ x: CURE_X, y }, line, { size: 13 })
    : text({ x: CURE_X, y }, typed, { mono: true, size: 12, tone: "done" });
}

/** The way to the next question. */
function drawNo(y: number): readonly string[] {
  const x = LEFT + 40;
  return [
    arrow([
      { x, y: y + 4 },
      { x, y: y + ROW - BOX.height - 4 },
    ]),
    text({ x: x + 10, y: y + 22 }, "no", { tone: "soft", size: 11 }),
  ];
}
