/**
 * Gives the reader a file.
 *
 * Owns: its name, which has no character that a file system or a shell could misread.
 */
export function saveFile(content: Blob, name: string, extension: string): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = `${name
    .replaceAll(/[^\w.-]+/g, "_")
    .replace(/^\./, "_")
    .slice(0, 100)}.${extension}`;
  link.click();
  // The browser reads the file after the click.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
