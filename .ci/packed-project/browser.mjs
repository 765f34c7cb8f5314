// Opens a page in a real browser, and prints its title when it changes. The tools are in the folder TOOLS.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(`${process.env.TOOLS}/package.json`);
const load = async (name) => import(pathToFileURL(require.resolve(name)));
const { chromium } = (await load("playwright-core")).default;
const { default: packed } = await load("@sparticuz/chromium");

const browser = await chromium.launch({
  executablePath: await packed.executablePath(),
  args: packed.args,
  headless: true,
});
try {
  const page = await browser.newPage();
  page.on("console", (message) => console.error(message.text()));
  page.on("pageerror", (error) => console.error(error));
  await page.goto(process.argv[2]);
  await page.waitForFunction(() => document.title !== "running", undefined, { timeout: 30_000 });
  const title = await page.title();
  console.log(title);
  process.exitCode = title.startsWith("done: ") ? 0 : 1;
} finally {
  await browser.close();
}
