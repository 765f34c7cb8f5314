/**
 * All figures of README.md and docs/.
 */
import { drawAgentLoop } from "./agent-loop.ts";
import { drawFanOut } from "./fan-out.ts";
import { drawFirstRun } from "./first-run.ts";
import { drawKill } from "./kill.ts";
import { drawKilledAttempt } from "./killed-attempt.ts";
import { drawMoments } from "./moments.ts";
import { drawPipes } from "./pipes.ts";
import { recordRun } from "./recorded-run.ts";
import { drawRetries } from "./retries.ts";
import { drawSaga } from "./saga.ts";
import { drawStates } from "./states.ts";
import { drawStuckRun } from "./stuck-run.ts";
import { type Figure, draw } from "./svg.ts";
import { drawTwoWaits } from "./two-waits.ts";

export async function listFigures(): Promise<readonly Figure[]> {
  const order = await recordRun();
  return [
    ...drawMoments(order),
    drawKill(order),
    drawFirstRun(),
    await drawKilledAttempt(),
    drawStates(),
    await drawTwoWaits(),
    drawPipes(),
    drawStuckRun(),
    await drawRetries(),
    await drawSaga(),
    await drawFanOut(),
    await drawAgentLoop(),
  ];
}

/** Returns the content of each file, by its path. */
export async function drawFigures(folder: string): Promise<ReadonlyMap<string, string>> {
  const figures = await listFigures();
  return new Map(
    figures.flatMap((figure) =>
      (["light", "dark"] as const).map(
        (theme) => [`${folder}/${figure.name}-${theme}.svg`, draw(figure, theme)] as const,
      ),
    ),
  );
}
