/** `node seeds-process.ts <from> <count>`: simulates seeds until one has a finding. Exits with 1 if one has. */
import { simulate } from "@holdfast/proof";

const [from = 1, count = 200] = process.argv.slice(2).map(Number);
for (let seed = from; seed < from + count; seed++) {
  const { findings } = await simulate(seed, undefined, { leavesRejections: true });
  if (findings.length > 0) process.exit(1);
}
process.exit(0);
