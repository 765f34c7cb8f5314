/** The time at which all pictures are taken. */
export const NOW: number = Date.UTC(2026, 10, 24, 9, 30);
