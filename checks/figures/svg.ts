/**
 * A small vocabulary for figures: boxes, rows, lines of text and arrows, as SVG in a light and a dark theme.
 *
 * Owns: colours, fonts and sizes. Text stays text, so that a reader can select it and a screen reader finds it. A figure has
 * at most NODES_MAX nodes.
 */
export type ThemeName = "light" | "dark";

export interface Figure {
  /** The name of its files, without the theme. */
  readonly name: string;
  readonly title: string;
  /** The alternative text of the page, too. */
  readonly description: string;
  readonly width: number;
  readonly height: number;
  readonly parts: readonly string[];
}

export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** What a node, a line or a text means; it has a colour in each theme. */
export type Tone = "plain" | "soft" | "done" | "runs" | "waits" | "lost";

export const NODES_MAX = 9;

const MONO = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace";
const SANS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";

type Palette = Readonly<Record<"paper" | "raised" | "rule" | "ink" | Exclude<Tone, "plain">, string>>;

const PALETTES: Readonly<Record<ThemeName, Palette>> = {
  light: {
    paper: "#ffffff",
    raised: "#f6f8f9",
    rule: "#c9d2d9",
    ink: "#17212b",
    soft: "#52606d",
    done: "#0d7564",
    runs: "#1f57b8",
    waits: "#6a4fb8",
    lost: "#b3243f",
  },
  dark: {
    paper: "#12171c",
    raised: "#1a2128",
    rule: "#3a4752",
    ink: "#e6ebef",
    soft: "#a3b0bb",
    done: "#4fd1b8",
    runs: "#86b2ff",
    waits: "#b7a3f2",
    lost: "#ff8699",
  },
};

/** A box with rounded corners. It is a node of the figure. */
export function node(area: Area, { tone = "soft", dashed = false }: { tone?: Tone; dashed?: boolean } = {}): string {
  const dash = dashed ? ' stroke-dasharray="5 4"' : "";
  const { x, y, width, height } = area;
  return `<rect class="node ${tone}-line" x="${x}" y="${y}" width="${width}" height="${height}" rx="7"${dash}/>`;
}

export function at(x: number, y: number): Point {
  return { x, y };
}

export interface TextStyle {
  readonly tone?: Tone;
  readonly mono?: boolean;
  readonly size?: number;
  readonly bold?: boolean;
  readonly anchor?: "start" | "middle" | "end";
}

/** The style of a note beside a node. */
export const NOTE: TextStyle = { tone: "soft", size: 11 };

export function text({ x, y }: Point, content: string, style: TextStyle = {}): string {
  const { tone = "plain", mono = false, size = 12, bold = false, anchor = "start" } = style;
  const classes = [tone, mono ? "mono" : "", bold ? "bold" : ""].filter((name) => name !== "").join(" ");
  return `<text class="${classes}" x="${x}" y="${y}" font-size="${size}" text-anchor="${anchor}">${escapeText(content)}</text>`;
}

/** A line through these points, with a head at the last one. `both`: and at the first one. */
export function arrow(points: readonly Point[], tone: Tone = "soft", both = false): string {
  const start = both ? ` marker-start="url(#${tone}-head)"` : "";
  return `<path class="arrow ${tone}-line"${start} marker-end="url(#${tone}-head)" d="${through(points)}"/>`;
}

/** A line without a head. */
export function rule(points: readonly Point[], tone: Tone = "soft", dashed = false): string {
  const dash = dashed ? ' stroke-dasharray="3 4"' : "";
  return `<path class="${tone}-line" d="${through(points)}"${dash}/>`;
}

function through(points: readonly Point[]): string {
  return points.map(({ x, y }, i) => `${i === 0 ? "M" : "L"}${x} ${y}`).join("");
}

export function countNodes({ parts }: Figure): number {
  return parts.join("").split('class="node ').length - 1;
}

/** Returns the file of a figure. */
export function draw(figure: Figure, theme: ThemeName): string {
  const { title, description, width, height, parts } = figure;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title description">
<title id="title">${escapeText(title)}</title>
<desc id="description">${escapeText(description)}</desc>
<style>
${styles(PALETTES[theme])}</style>
<defs>
${TONES.map(head).join("\n")}
</defs>
<rect class="paper" width="${width}" height="${height}"/>
${parts.join("\n")}
</svg>
`;
}

const TONES: readonly Tone[] = ["plain", "soft", "done", "runs", "waits", "lost"];

function styles(palette: Palette): string {
  const colour = (tone: Tone): string => (tone === "plain" ? palette.ink : palette[tone]);
  return [
    `text { font-family: ${SANS}; }`,
    `.mono { font-family: ${MONO}; white-space: pre; }`,
    ".bold { font-weight: 600; }",
    `.paper { fill: ${palette.paper}; }`,
    `.node { fill: ${palette.raised}; stroke-width: 1.3; }`,
    `path { fill: none; stroke-width: 1.5; }`,
    ...TONES.map(
      (tone) =>
        `.${tone} { fill: ${colour(tone)}; }\n.${tone}-line { stroke: ${tone === "soft" ? palette.rule : colour(tone)}; }\n.arrow.${tone}-line, marker .${tone}-line { stroke: ${colour(tone)}; }`,
    ),
    "",
  ].join("\n");
}

function head(tone: Tone): string {
  return `<marker id="${tone}-head" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path class="${tone}-line" d="M1 1L9 5L1 9"/></marker>`;
}

function escapeText(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
