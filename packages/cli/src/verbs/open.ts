/**
 * `holdfast open`: the address of a page of the dashboard.
 *
 * Owns: the address. It holds no token: the page asks for one.
 */
import { Command } from "commander";
import { openInBrowser } from "../local/browser.ts";
import { safe } from "../output/safe-text.ts";
import type { Verb } from "../verb.ts";

interface Options {
  readonly print?: true;
}

export const open: Verb = (host) =>
  host.does<Options>(
    new Command("open")
      .description(
        "Prints the address of the dashboard, or of the page of a run. On a terminal it also opens the page in your browser.",
      )
      .argument("[id]", "the id of the run")
      .option("--print", "only print the address")
      .addHelpText("after", EXAMPLES),
    async ({ session, args: [id], options }) => {
      const { io, out, globals, notes } = session;
      const { url, tokenFrom } = await session.target();
      const page = pageOf(url, id);
      // Programs want the address alone.
      if (globals.output === undefined) await out.line(safe`${page}`);
      else
        await out.item(
          { url: page },
          () => page,
          () => [safe`${page}`],
        );
      if (options.print === true || io.stdout.isTTY !== true) return;
      if (tokenFrom !== undefined)
        notes.say(notes.paint("dim", `The page asks for a token once: take that of ${tokenFrom}.`));
      if (!(await (io.openPage ?? openInBrowser)(page, io.env)))
        notes.say(safe`No browser can be opened here. Open the address yourself.`);
    },
  );

/** The address without credentials, whatever the URL of the API has. */
function pageOf(api: string, id: string | undefined): string {
  const { origin, pathname } = new URL(api);
  return `${origin}${pathname.replace(/\/+$/, "")}/ui/${id === undefined ? "" : `runs/${encodeURIComponent(id)}`}`;
}

const EXAMPLES = `
Examples:
  $ holdfast open
  $ holdfast open order-1
  $ holdfast open order-1 --print | xclip`;
