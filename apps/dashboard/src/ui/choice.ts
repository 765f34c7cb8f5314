/**
 * Choices of the reader that stay in this browser.
 *
 * Owns: pages without storage, where a choice is for this page only.
 */
export function readChoice(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function writeChoice(key: string, value: string | undefined): void {
  try {
    if (value === undefined) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // The choice is for this page only.
  }
}
