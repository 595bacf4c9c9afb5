import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Outcome, Run, Scenario } from "../concurrency/scenarios/scenario.ts";

/*
 * Tests of `npm test` whose choices a seed decides, as scenarios: each round runs the file once, the first with the seed
 * itself, the next with the seed + 1, and so on.
 */

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** A round that has come to a halt is ended then, in milliseconds. */
const PATIENCE = 300_000;

function seededTest(name: string, file: string, summary: string, rounds = 20): Scenario {
  return {
    name,
    summary: `${summary} (${file})`,
    unit: "rounds",
    sizes: { test: 1, stress: rounds },
    needs: "tests",
    run: (run) => repeat(file, run),
  };
}

export const SEEDED_TESTS: readonly Scenario[] = [
  seededTest(
    "paused-workers",
    "test/faults/paused-workers.test.ts",
    "a worker that is stopped within a batch, taken for dead or not, and continued writes nothing twice",
  ),
  seededTest(
    "failing-transports",
    "test/faults/failing-transports.test.ts",
    "a transport that fails for one key, for all, now and then, hangs, or answers too late: all comes, in order",
  ),
  seededTest(
    "broker-restarts",
    "test/faults/broker-restarts.test.ts",
    "a broker is killed while a worker drains: the outbox keeps, then flushes, in order",
  ),
  seededTest(
    "consumer-kills",
    "test/faults/consumer-kills.test.ts",
    "consumers of a broker are killed around their acknowledgements: effects once",
  ),
  seededTest(
    "clock-jumps",
    "test/faults/clock-jumps.test.ts",
    "the clock jumps by an hour, forth and back, while a worker runs",
  ),
  seededTest(
    "exactly-once",
    "test/handlers/exactly-once.test.ts",
    "handlers that fail at random, before and behind their effects: each effect once, in order",
  ),
  seededTest(
    "changing-shards",
    "test/handlers/shards.test.ts",
    "1 to 4 to 2 shards while events come: each effect once, in order",
  ),
  seededTest(
    "drain-walk",
    "test/sql/drain-walk.test.ts",
    "drains, failures, people and changing numbers of shards at random, in SQL: each event once, in order",
  ),
  seededTest(
    "routes-running",
    "test/sql/routes-running.test.ts",
    "appends of all kinds while routes come and go: what matches is in the outbox once, in order",
  ),
  seededTest(
    "snapshots",
    "test/sql/snapshots-random.test.ts",
    "appends, snapshots and reducers that change at random: a fold with snapshots is a fold without",
  ),
  seededTest(
    "receivers",
    "test/sql/receive-many.test.ts",
    "receivers that are killed, forget or refuse: each effect once, in order within its stream",
  ),
];

async function repeat(file: string, { seed, size, environment, note }: Run): Promise<Outcome> {
  const violations: string[] = [];
  let [tests, skipped] = [0, 0];
  for (let round = 0; round < size; round += 1) {
    const ran = await runOnce(file, { ...environment, DAYBOOK_SEED: String(seed + round) });
    tests += ran.passed;
    skipped += ran.skipped.length;
    if (ran.problem !== undefined) violations.push(`seed ${seed + round}: ${ran.problem}`);
    else if (ran.passed === 0) violations.push(`nothing was tested: ${ran.skipped.join("; ")}`);
    if (ran.problem !== undefined) note(ran.output);
    if (ran.passed === 0) break;
    if ((round + 1) % 5 === 0) note(`${round + 1} rounds, ${violations.length} failed`);
  }
  return { violations, facts: { "tests passed": tests, skipped } };
}

interface Ran {
  readonly passed: number;
  /** Why tests were skipped. */
  readonly skipped: readonly string[];
  /** What failed. */
  readonly problem: string | undefined;
  /** The end of what it printed. */
  readonly output: string;
}

function runOnce(file: string, environment: Readonly<Record<string, string>>): Promise<Ran> {
  const child = spawn(process.execPath, [file], {
    cwd: ROOT,
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE);
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  return new Promise((resolve, reject) => {
    child.once("error", reject).once("close", (code, signal) => {
      clearTimeout(timer);
      const results = [...output.matchAll(/^(not )?ok \d+ - (.*?)(?: # (SKIP .*|time=.*))?(?: \{)?$/gm)];
      const failed = results.filter(([, not]) => not !== undefined).map(([, , name]) => name);
      const skipped = results.flatMap(([, , , directive]) => (directive?.startsWith("SKIP") ? [directive] : []));
      const isBroken = code !== 0 || failed.length > 0;
      const problem = failed.join("; ") || `it ended with ${signal ?? code}`;
      resolve({
        passed: results.length - failed.length - skipped.length,
        skipped,
        problem: isBroken ? problem : undefined,
        output: output.trimEnd().split("\n").slice(-40).join("\n"),
      });
    });
  });
}
