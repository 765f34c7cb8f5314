/** Rules of packages/orchestrator/SPEC.md that are not built yet. May only shrink: one that a test cites fails here. */
const TO_COME = `
  STR2
`;

export const RULES_TO_COME: readonly string[] = TO_COME.trim().split(/\s+/);
