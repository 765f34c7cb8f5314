/**
 * Elements of Preact as the text of an SVG file.
 *
 * Owns: the conversion. It calls components, so they must have no hooks: the drawing of the timeline has none.
 */
import { Fragment, type ComponentChild, type VNode, isValidElement } from "preact";

const VOID = new Set(["children", "key", "ref"]);

export function svgText(node: ComponentChild): string {
  if (Array.isArray(node)) return node.map((one: ComponentChild) => svgText(one)).join("");
  if (typeof node === "string" || typeof node === "number") return escapeText(String(node));
  if (!isValidElement(node)) return "";
  const { type, props } = node as VNode<Record<string, unknown>>;
  // A cast: what a component returns, and what an element contains, are nodes.
  const children = props["children"] as ComponentChild;
  if (type === Fragment) return svgText(children);
  if (typeof type === "function") return svgText((type as (given: object) => ComponentChild)(props));
  const attributes = Object.entries(props)
    .filter(([name, value]) => !VOID.has(name) && value !== undefined && value !== null && value !== false)
    .map(([name, value]) => ` ${name}="${escapeText(typeof value === "number" ? round(value) : String(value))}"`);
  const content = svgText(children);
  return content === ""
    ? `<${type}${attributes.join("")}/>\n`
    : `<${type}${attributes.join("")}>${content}</${type}>\n`;
}

function round(value: number): string {
  return String(Math.round(value * 100) / 100);
}

function escapeText(text: string): string {
  return text
    .replace(/-?\d+\.\d{3,}/g, (long) => round(Number(long)))
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/"/g, "&quot;");
}
