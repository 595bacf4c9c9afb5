/*
 * What `npm test` runs: all test files, or the ones named, on one server that is started for them. The last line it
 * prints is `N passed, N failed, N skipped`; the exit code is 1 if anything failed.
 */
import { globSync, statSync } from "node:fs";
import { join } from "node:path";
import { announcement, exitOnSignals, startTestServer } from "./server.ts";
import { type Outcome, runTap } from "./tap-run.ts";

const HELP = `npm test [-- [PATH …] [OPTION …]]

Runs the test files named, those of the directories named, or all. Options are those of tap (npx tap --help), --bail or --grep=PATTERN for instance.

  DAYBOOK_TEST_PG=15     on PostgreSQL 15 rather than 18
  DAYBOOK_TEST_URL=URL   on another server, as a superuser (DATABASE_URL does the same)`;

const args = process.argv.slice(2);
if (args.includes("--help")) {
  console.log(HELP);
} else {
  process.exitCode = (await run()).failed === 0 ? 0 : 1;
}

async function run(): Promise<Outcome> {
  exitOnSignals();
  const server = await startTestServer();
  let outcome: Outcome;
  try {
    outcome = await runTap(args.flatMap(testFiles), announcement(server), (line) => console.log(line));
  } finally {
    await server.stop();
  }
  const { passed, failed, skipped, failures } = outcome;
  for (const failure of failures) console.log(`\nFailed: ${failure}`);
  if (skipped.length > 0) console.log("\nSkipped:");
  for (const skip of skipped) console.log(`  ${skip}`);
  console.log(`\n${passed} passed, ${failed} failed, ${skipped.length} skipped`);
  return outcome;
}

/** A directory stands for the test files in it. */
function testFiles(argument: string): string[] {
  if (!statSync(argument, { throwIfNoEntry: false })?.isDirectory()) return [argument];
  return globSync(join(argument, "**/*.test.ts")).sort();
}
