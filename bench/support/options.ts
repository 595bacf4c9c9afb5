import { parseArgs } from "node:util";

/** What every bench can be told on its command line. */
export interface BenchOptions {
  /** Seconds each variant runs in each round. */
  readonly seconds: number;
  /** Rounds; in each, the variants take turns. */
  readonly rounds: number;
  /** A first look: short and rough. */
  readonly quick: boolean;
  /** Whether bench/RESULTS.md is written. */
  readonly save: boolean;
}

/** Reads the command line; with --help it prints `about` and the options, and ends the process. */
export function benchOptions(about: string): BenchOptions {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      seconds: { type: "string" },
      rounds: { type: "string" },
      "no-save": { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${about.trim()}

  --quick       short and rough; nothing is saved
  --seconds N   seconds each variant runs in each round (1)
  --rounds N    rounds, in which the variants take turns (15)
  --no-save     leave bench/RESULTS.md as it is
`);
    process.exit(0);
  }
  return {
    seconds: Number(values.seconds ?? (values.quick ? 0.5 : 1)),
    rounds: Number(values.rounds ?? (values.quick ? 3 : 15)),
    quick: values.quick,
    save: !values.quick && !values["no-save"],
  };
}
