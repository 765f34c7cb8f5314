import { hostContract } from "@holdfast/proof/contracts";
import { letClockStand } from "../standing-clock.ts";
import { catalogue } from "../workflows.ts";
import { openHost, prepareContracts } from "./setup.ts";

prepareContracts();
letClockStand("at timers");
const options = { entries: catalogue, crashing: [], prefix: "s", open: openHost } as const;
hostContract("real workerd, inline, where the clock stands between inputs", options);
