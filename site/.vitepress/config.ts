/**
 * The site: the pages of docs/ as static files, with navigation, search and both themes.
 *
 * Owns: how Markdown that is written for GitHub is read here. A link that leaves docs/ leads to the repository, and of a
 * picture for two themes the one of the reader's choice is shown. The home page is docs/index.md below a few links.
 */
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { type DefaultTheme, type MarkdownOptions, type PageData, type UserConfig, defineConfig } from "vitepress";
import { copyText } from "../machines.ts";
import { DOCS, REPOSITORY, findTitle, readNavigation, readPages } from "../pages.ts";
import { HOME } from "./home.ts";

const SOURCES = "https://github.com/OWNER/holdfast/blob/main";
type Plugin = Extract<NonNullable<NonNullable<UserConfig["vite"]>["plugins"]>[number], { readonly name: string }>;
type Markdown = Parameters<NonNullable<MarkdownOptions["config"]>>[0];

export default defineConfig({
  title: "Holdfast",
  description: "Durable workflows for TypeScript on Cloudflare Durable Objects.",
  lang: "en",
  srcDir: "../docs",
  srcExclude: ["design/**"],
  base: process.env["SITE_BASE"] ?? "/",
  metaChunk: true,
  head: [
    ["link", { rel: "icon", href: "data:," }],
    ["style", {}, readFileSync(join(import.meta.dirname, "style.css"), "utf8")],
  ],
  markdown: {
    // Headings such as `/api/runs/{id}` are not attributes.
    attrs: { disable: true },
    theme: { light: "github-light-high-contrast", dark: "github-dark-default" },
    config: adaptMarkdown,
  },
  transformPageData: (page) => (page.relativePath === "index.md" ? asHome(page) : undefined),
  buildEnd: ({ outDir }) => copyText(outDir),
  // The pages are outside of this package, where no package is found.
  vite: { plugins: [resolveFromHere()] },
  themeConfig: {
    search: { provider: "local" },
    outline: [2, 3],
    nav: navBar(),
    sidebar: readSidebar(),
    docFooter: { prev: false, next: "Next" },
    socialLinks: [{ icon: "github", link: "https://github.com/OWNER/holdfast", ariaLabel: "The repository" }],
    footer: { message: "Apache-2.0" },
  },
});

/** Resolves the imports of pages as if the pages were in this package. */
function resolveFromHere(): Plugin {
  return {
    name: "resolve-from-here",
    enforce: "pre",
    async resolveId(source, importer, options) {
      if (!/^vue($|\/)/u.test(source) || importer?.startsWith(DOCS) !== true) return null;
      return this.resolve(source, import.meta.filename, { ...options, skipSelf: true });
    },
  };
}

function asHome(page: PageData): Partial<PageData> {
  return { frontmatter: { ...page.frontmatter, ...HOME } };
}

function navBar(): DefaultTheme.NavItem[] {
  return readNavigation().flatMap(({ title, pages }) => {
    const first = existing(pages)[0];
    return first === undefined ? [] : [{ text: title, link: linkOf(first) }];
  });
}

function readSidebar(): DefaultTheme.SidebarItem[] {
  const pages = new Map(readPages().map((page) => [page.path, page]));
  const sections = readNavigation().filter((section) => existing(section.pages).length > 0);
  return sections.map(({ title, pages: listed }) => ({
    text: title,
    collapsed: false,
    items: existing(listed).map((path) => ({ text: findTitle(pages.get(path)), link: linkOf(path) })),
  }));
}

function existing(paths: readonly string[]): readonly string[] {
  const known = new Set(readPages().map(({ path }) => path));
  return paths.filter((path) => known.has(path));
}

function linkOf(path: string): string {
  return `/${path.replace(/(^|\/)index\.md$/u, "$1").replace(/\.md$/u, "")}`;
}

function adaptMarkdown(markdown: Markdown): void {
  markdown.core.ruler.push("repository", (state) => {
    const { relativePath } = state.env as { readonly relativePath?: string };
    for (const token of state.tokens) {
      // Colours make a long reference page seven times as large.
      if (relativePath?.startsWith("reference/") === true && /^(typescript|json)$/u.test(token.info))
        token.info = "text";
      if (token.type === "html_block") token.content = splitPictures(token.content);
      for (const child of token.children ?? []) {
        const href = child.attrGet("href");
        if (child.type === "link_open" && href !== null) child.attrSet("href", leaveSite(href, relativePath ?? ""));
      }
    }
  });
}

/** Turns a relative link that leaves docs/, or leads to no page of it, into one to the repository. */
function leaveSite(href: string, page: string): string {
  if (/^(\w+:|#|\/)/u.test(href)) return href;
  const [path = "", anchor] = href.split("#");
  const target = relative(REPOSITORY, join(DOCS, dirname(page), path)).replaceAll("\\", "/");
  if (target.startsWith("docs/") && target.endsWith(".md") && !target.startsWith("docs/design/")) return href;
  return `${SOURCES}/${target}${anchor === undefined ? "" : `#${anchor}`}`;
}

/** A picture names its dark variant for the theme of the system; here the reader may choose another one. */
function splitPictures(html: string): string {
  return html.replaceAll(
    /<picture>\s*<source[^>]* srcset="([^"]+)"[^>]*>\s*(<img[^>]*?)\/?>\s*<\/picture>/gu,
    (_, dark: string, light: string) =>
      `${light} class="only-light" />\n${light.replace(/ src="[^"]*"/u, ` src="${dark}"`)} class="only-dark" />`,
  );
}
