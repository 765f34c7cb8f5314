/**
 * A text in Markdown, as elements.
 *
 * Owns: the element of each part. A link shows its host beside its text, opens beside the page, and gets no reference to it.
 * Headings are third-level ones, whatever their number of signs, so that they fit below any title.
 */
import type { JSX } from "preact";
import { type Block, parseMarkdown } from "./markdown.ts";
import type { Inline } from "./markdown-inline.ts";
import { visible } from "./text.tsx";

const CHARS = 64 * 1_024;

export function Markdown({ text }: { readonly text: string }): JSX.Element {
  return (
    <div class="markdown">
      <Blocks of={parseMarkdown(text.slice(0, CHARS))} />
      {text.length > CHARS && (
        <p class="muted">The text has {text.length.toLocaleString("en")} characters and is cut.</p>
      )}
    </div>
  );
}

function Blocks({ of }: { readonly of: readonly Block[] }): JSX.Element {
  return (
    <>
      {of.map((block, n) => (
        <BlockView of={block} key={n} />
      ))}
    </>
  );
}

function BlockView({ of }: { readonly of: Block }): JSX.Element {
  switch (of.kind) {
    case "paragraph":
      return (
        <p>
          <Inlines of={of.inlines} />
        </p>
      );
    case "heading":
      return (
        <h3 class={of.level === 1 ? "is-first" : undefined}>
          <Inlines of={of.inlines} />
        </h3>
      );
    case "code":
      return <pre tabIndex={0}>{visible(of.text)}</pre>;
    case "quotation":
      return (
        <blockquote>
          <Blocks of={of.blocks} />
        </blockquote>
      );
    case "list":
      return <ListView start={of.start} items={of.items} />;
    case "rule":
      return <hr />;
  }
}

type ListProps = Pick<Block & { readonly kind: "list" }, "start" | "items">;

function ListView({ start, items }: ListProps): JSX.Element {
  const rows = items.map((blocks, n) => (
    <li key={n}>
      <Blocks of={blocks} />
    </li>
  ));
  return start === undefined ? <ul>{rows}</ul> : <ol start={start}>{rows}</ol>;
}

function Inlines({ of }: { readonly of: readonly Inline[] }): JSX.Element {
  return (
    <>
      {of.map((inline, n) => (
        <InlineView of={inline} key={n} />
      ))}
    </>
  );
}

function InlineView({ of }: { readonly of: Inline }): JSX.Element | string {
  switch (of.kind) {
    case "text":
      return visible(of.text);
    case "code":
      return <code>{visible(of.text)}</code>;
    case "break":
      return <br />;
    case "strong":
      return (
        <strong>
          <Inlines of={of.inlines} />
        </strong>
      );
    case "emphasis":
      return (
        <em>
          <Inlines of={of.inlines} />
        </em>
      );
    case "deletion":
      return (
        <del>
          <Inlines of={of.inlines} />
        </del>
      );
    case "link":
      return (
        <a href={of.href} target="_blank" rel="noopener noreferrer nofollow" title={visible(of.href)}>
          <Inlines of={of.inlines} /> <span class="host">({visible(of.host)})</span>
        </a>
      );
  }
}
