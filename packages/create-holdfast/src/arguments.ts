/**
 * The arguments of the command, as the command line and npm give them.
 *
 * Owns: the flags. `npm create holdfast app --node` without ` -- ` gives the flag to npm, which passes it on as the variable
 * `npm_config_node`.
 */
import { parseArgs } from "node:util";
import { KINDS, type Kind } from "./kinds.ts";
import { Refusal, STATUS } from "./refusal.ts";

export interface Arguments {
  readonly folder: string | undefined;
  readonly kind: Kind | undefined;
  /** Asks nothing: what is not given has its default. */
  readonly yes: boolean;
  readonly install: boolean;
  readonly help: boolean;
  readonly version: boolean;
}

const FLAGS = {
  worker: { type: "boolean" },
  node: { type: "boolean" },
  both: { type: "boolean" },
  yes: { type: "boolean", short: "y" },
  install: { type: "boolean" },
  "no-install": { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "v" },
} as const;

type Flag = keyof typeof FLAGS;

/** Flags that npm may have taken. It has an own meaning for the others. */
const FLAGS_OF_NPM: ReadonlySet<Flag> = new Set(["worker", "node", "both", "yes", "install"]);

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws Refusal for an unknown flag, a second folder, or two kinds. */
export function readArguments(given: readonly string[], env: Environment): Arguments {
  const { values, positionals } = parse(given);
  const isSet = (flag: Flag): boolean =>
    values[flag] ?? (FLAGS_OF_NPM.has(flag) && env[`npm_config_${flag}`] === "true");
  const kinds = KINDS.filter(isSet);
  if (kinds.length > 1) throw usage(`--${kinds.join(" and --")} exclude each other`);
  if (positionals.length > 1)
    throw usage(`give one folder, not ${positionals.length} (${positionals.map((one) => `"${one}"`).join(", ")})`);
  if (isSet("install") && isSet("no-install")) throw usage("--install and --no-install exclude each other");
  return {
    folder: positionals[0],
    kind: kinds[0],
    yes: isSet("yes"),
    install: isSet("install"),
    help: isSet("help"),
    version: isSet("version"),
  };
}

function parse(given: readonly string[]) {
  try {
    return parseArgs({ args: [...given], options: FLAGS, allowPositionals: true });
  } catch (error) {
    // Node's message continues with advice that concerns a folder whose name starts with a hyphen.
    const [first = ""] = String(error instanceof Error ? error.message : error).split(". ");
    throw usage(first.charAt(0).toLowerCase() + first.slice(1));
  }
}

function usage(problem: string): Refusal {
  return new Refusal(`create-holdfast: ${problem}. See create-holdfast --help.`, STATUS.usage);
}
