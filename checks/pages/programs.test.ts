/**
 * Follows every how-to page that has a program: its commands do what the page shows, its tests included. Pages are followed
 * concurrently, for most of it is waiting.
 */
import { createContext, runInContext } from "node:vm";
import { afterAll, expect, test, vi } from "vitest";
import { stopAll } from "../packed/processes.ts";
import { type Further, PROGRAMS, followProgram } from "./program.ts";

afterAll(stopAll);

/** What a test does after the commands of a page. */
const FURTHER: Readonly<Record<string, Further>> = {
  "docs/how-to/follow-in-a-page.md": async (url) => {
    const shown = await openPage(`${url}/?run=s-1`);
    await vi.waitFor(() => expect(shown).toMatchObject({ status: "completed", text: "once there was a fox" }), 20_000);
  },
};

test.concurrent.each(PROGRAMS)("every command of %s does what the page shows", { timeout: 300_000 }, async (page) => {
  expect(await followProgram(page, FURTHER[page])).toEqual([]);
});

/** Executes the script of a page as a browser does. Returns the texts of its elements by their ids. */
async function openPage(address: string): Promise<Readonly<Record<string, string>>> {
  const html = await (await fetch(address)).text();
  const [, script = ""] = /<script type="module">([^]*)<\/script>/u.exec(html) ?? [];
  const shown: Record<string, string> = {};
  const element = (id: string) => ({
    set textContent(text: string) {
      shown[id] = text;
    },
  });
  const scope = {
    URL,
    URLSearchParams,
    WebSocket,
    setTimeout,
    location: new URL(address),
    document: { getElementById: element },
    fetch: (path: string, init: RequestInit) => fetch(new URL(path, address), init),
  };
  runInContext(script, createContext(scope));
  return shown;
}
