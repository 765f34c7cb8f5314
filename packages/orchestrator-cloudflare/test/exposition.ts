/**
 * A strict parser of the text format of Prometheus, version 0.0.4.
 *
 * Owns: the grammar, and the rules for a family: HELP and TYPE before its samples, its samples together, no sample twice.
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */

export interface ParsedFamily {
  readonly type: string;
  readonly help: string;
  readonly samples: { readonly labels: Readonly<Record<string, string>>; readonly value: number }[];
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/s;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\[\\"n])*)"(?:,|$)/s;
const ESCAPES: Readonly<Record<string, string>> = { "\\\\": "\\", '\\"': '"', "\\n": "\n" };

/** @throws Error for a text that the format does not allow. */
export function parseExposition(text: string): Map<string, ParsedFamily> {
  if (!text.endsWith("\n")) throw new Error("the last line has no end");
  const families = new Map<string, ParsedFamily>();
  const seen = new Set<string>();
  let current = "";
  let help = "";
  for (const line of text.slice(0, -1).split("\n")) {
    const [, comment, name = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (comment === "HELP") {
      if (families.has(name)) throw new Error(`two families ${name}`);
      [current, help] = [name, rest];
    } else if (comment === "TYPE") {
      if (name !== current || !/^(counter|gauge)$/.test(rest)) throw new Error(`wrong: ${line}`);
      families.set(name, { type: rest, help, samples: [] });
    } else {
      if (seen.has(line.slice(0, line.lastIndexOf(" ")))) throw new Error(`twice: ${line}`);
      seen.add(line.slice(0, line.lastIndexOf(" ")));
      const sample = parseSample(line);
      if (sample.name !== current) throw new Error(`a sample of another family: ${line}`);
      families.get(current)?.samples.push(sample);
    }
  }
  return families;
}

function parseSample(line: string): { name: string; labels: Record<string, string>; value: number } {
  const [, name, labelText = "", number = ""] = SAMPLE.exec(line) ?? [];
  const value = Number(number);
  if (name === undefined || Number.isNaN(value)) throw new Error(`no sample: ${line}`);
  const labels: Record<string, string> = {};
  for (let rest = labelText; rest !== "";) {
    const [whole, label, quoted] = LABEL.exec(rest) ?? [];
    if (whole === undefined || label === undefined || label in labels) throw new Error(`wrong labels: ${line}`);
    labels[label] = (quoted ?? "").replaceAll(/\\[\\"n]/g, (escaped) => ESCAPES[escaped] ?? "");
    rest = rest.slice(whole.length);
  }
  return { name, labels, value };
}
