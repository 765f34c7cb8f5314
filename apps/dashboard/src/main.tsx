/**
 * The entry of the dashboard.
 */
import { render } from "preact";
import { App } from "./app.tsx";
import { startClock } from "./clock.ts";
import { startRouter } from "./router.ts";
import { startTheme } from "./theme.tsx";

startTheme();
startClock();
startRouter();
const root = document.querySelector("#app");
if (root !== null) render(<App />, root);
