/*
 * What `npm run stress` runs: one of the scenarios of test/concurrency/scenarios, or a test with a seed, for long.
 */
import { parseArgs } from "node:util";
import { bigTransaction } from "../concurrency/scenarios/big-transaction.ts";
import { gapFree } from "../concurrency/scenarios/gap-free.ts";
import { kill } from "../concurrency/scenarios/kill.ts";
import { oneStream } from "../concurrency/scenarios/one-stream.ts";
import { overlappingStreams } from "../concurrency/scenarios/overlapping-streams.ts";
import { projectionKills } from "../concurrency/scenarios/projection-kills.ts";
import { projections } from "../concurrency/scenarios/projections.ts";
import type { Outcome, Run, Scenario } from "../concurrency/scenarios/scenario.ts";
import { sealing } from "../concurrency/scenarios/sealing.ts";
import { wakeUps } from "../concurrency/scenarios/wake-ups.ts";
import { workerKills } from "../concurrency/scenarios/worker-kills.ts";
import { newSeed } from "../concurrency/support/random.ts";
import { exitOnSignals } from "../support/server.ts";
import { SEEDED_TESTS } from "./seeded-tests.ts";
import { forTests, onDatabase, onServer } from "./targets.ts";

const SCENARIOS: readonly Scenario[] = [
  gapFree,
  oneStream,
  overlappingStreams,
  bigTransaction,
  sealing,
  kill,
  workerKills,
  wakeUps,
  projections,
  projectionKills,
  ...SEEDED_TESTS,
];

const HELP = `npm run stress -- NAME [--seed N] [--size N]

Runs one scenario for long and says whether the store has kept its promises.

  --seed N   decides all random choices; printed at the start, to repeat a run
  --size N   how much of it, in the scenario's own unit; --count is the same
  --list     the scenarios, their units and sizes
  --help     this

Where a test of npm test names its seed, --seed repeats it; so does DAYBOOK_SEED=N for the test itself.

  DATABASE_URL=URL       on another server, as a superuser (not for kill, which crashes one of its own)
  DAYBOOK_TEST_PG=15     on PostgreSQL 15 rather than 18

Exit code: 0 if all promises held, 1 if one was broken, 2 if the command was not understood.`;

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    return misunderstood(error instanceof Error ? error.message : String(error));
  }
  const { values, positionals } = parsed;
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  if (values.list) {
    console.log(list());
    return 0;
  }
  const [name, ...others] = positionals;
  const scenario = SCENARIOS.find((one) => one.name === name);
  if (!scenario || others.length > 0)
    return misunderstood(name ? `There is no scenario ${positionals.join(" ")}.` : "Which scenario?");
  const seed = Number(values.seed ?? newSeed());
  const size = Number(values.size ?? values.count ?? scenario.sizes.stress);
  if (!Number.isInteger(seed) || !Number.isInteger(size) || size < 1)
    return misunderstood("--seed and --size are whole numbers.");
  return report(scenario, seed, size);
}

function parse(args: string[]) {
  return parseArgs({
    args,
    allowPositionals: true,
    options: {
      seed: { type: "string" },
      size: { type: "string" },
      count: { type: "string" },
      list: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
}

async function report(scenario: Scenario, seed: number, size: number): Promise<number> {
  exitOnSignals();
  console.log(`${scenario.name}: ${scenario.summary}\nseed ${seed}, ${size} ${scenario.unit}`);
  const start = Date.now();
  const { violations, facts } = await run(scenario, { seed, size, note: (line) => console.log(line) });
  for (const violation of violations) console.log(`  broken: ${violation}`);
  const done = Object.entries(facts).map(([name, count]) => `${count} ${name}`);
  console.log(`${done.join(", ")}, in ${((Date.now() - start) / 1000).toFixed(1)} s`);
  console.log(
    violations.length === 0
      ? "all promises held"
      : `${violations.length} promises broken; to repeat: npm run stress -- ${scenario.name} --seed ${seed} --size ${size}`,
  );
  return violations.length === 0 ? 0 : 1;
}

function run(scenario: Scenario, choices: Omit<Run, "url" | "server" | "environment">): Promise<Outcome> {
  switch (scenario.needs) {
    case "server":
      return onServer((server) => scenario.run({ ...choices, url: server.url, server }));
    case "tests":
      return forTests((url, environment) => scenario.run({ ...choices, url, environment }));
    case "database":
      return onDatabase((url) => scenario.run({ ...choices, url }));
  }
}

function list(): string {
  return SCENARIOS.map(
    ({ name, summary, unit, sizes }) =>
      `${name}\n  ${summary}\n  size: ${unit}, ${sizes.stress} (in npm test: ${sizes.test})`,
  ).join("\n");
}

function misunderstood(problem: string): number {
  console.error(
    `${problem}\nScenarios are ${SCENARIOS.map(({ name }) => name).join(", ")}; see npm run stress -- --help`,
  );
  return 2;
}
