/** Rules of packages/orchestrator/SPEC.md that are not built yet. May only shrink: one that a test cites fails here. */
const TO_COME = `
  CAN4 CAN5 CAN6 CAN7
  CHILD1 CHILD2 CHILD3 CHILD4
  COMP1 COMP2 COMP3 COMP4
  DUR8
  META1
  SEC2 SEC3 SEC5
  STR1 STR2
  VER1 VER2 VER3
  WAIT6
`;

export const RULES_TO_COME: readonly string[] = TO_COME.trim().split(/\s+/);
