/** The front matter of a generated page. */
interface Fields {
  readonly title: string;
  readonly kind: string;
  readonly summary: string;
  readonly next: string;
}

export function frontMatter({ title, kind, summary, next }: Fields): string {
  const text = /[:#"'`]/u.test(summary) ? JSON.stringify(summary) : summary;
  return `---\ntitle: ${title}\nkind: ${kind}\nsummary: ${text}\nnext: ${next}\n---`;
}
