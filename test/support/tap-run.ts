import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { Parser, type Result } from "tap-parser";

/** What a run of test files came to: assertions, each counted once. */
export interface Outcome {
  readonly passed: number;
  readonly failed: number;
  /** What was skipped, with the reason. */
  readonly skipped: readonly string[];
  /** What failed, with its diagnostics. */
  readonly failures: readonly string[];
}

const tap = fileURLToPath(new URL("../../node_modules/.bin/tap", import.meta.url));

/**
 * Runs tap, in parallel, and counts.
 *
 * @param args files and options of tap; all test files if there are no files among them
 * @param environment variables beyond this process's own
 * @param report told a line per test file as it ends
 */
export async function runTap(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  report: (line: string) => void,
): Promise<Outcome> {
  const jobs = Math.min(3, Math.max(2, availableParallelism()));
  const child = spawn(process.execPath, [tap, "--reporter=tap", `--jobs=${jobs}`, ...args], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<number | null>((done, fail) => child.once("error", fail).once("close", done));
  const counting = count(report);
  child.stdout.pipe(counting.parser);
  const code = await ended;
  const outcome = counting.outcome();
  if (code === 0 || outcome.failed > 0) return outcome;
  return { ...outcome, failed: 1, failures: [`tap ended with ${code === null ? "a signal" : `exit code ${code}`}`] };
}

/** What became of the assertions of a file, or of all. */
interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

function count(report: (line: string) => void): { parser: Parser; outcome: () => Outcome } {
  const failures: string[] = [];
  const skipped: string[] = [];
  const all: Tally = { passed: 0, failed: 0, skipped: 0 };
  let file: Tally = { passed: 0, failed: 0, skipped: 0 };
  const parser = new Parser();
  // Told of each assertion of whatever depth, once; those of a file come before the file's own test point.
  parser.on("result", (result: Result) => {
    const skip = result.skip || result.todo;
    const outcome = skip ? "skipped" : result.ok ? "passed" : "failed";
    all[outcome] += 1;
    file[outcome] += 1;
    if (skip) skipped.push(`${result.fullname}: ${typeof skip === "string" ? skip : "no reason given"}`);
    else if (!result.ok) failures.push(describeFailure(result));
  });
  parser.on("assert", (result: Result) => {
    // A file that broke, or has nothing to run, counts itself, and only after this.
    const own: Tally = { passed: 0, failed: 0, skipped: 0 };
    if (result.skip) own.skipped = -1;
    else if (!result.ok && file.failed === 0) own.failed = -1;
    report(
      describeFile(result, {
        passed: file.passed,
        failed: file.failed - own.failed,
        skipped: file.skipped - own.skipped,
      }),
    );
    file = own;
  });
  return { parser, outcome: () => ({ ...all, skipped, failures }) };
}

function describeFile(file: Result, { passed, failed, skipped }: Tally): string {
  const numbers = [`${passed} passed`, failed && `${failed} failed`, skipped && `${skipped} skipped`];
  const seconds = file.time === null ? "" : `  ${(file.time / 1000).toFixed(1)} s`;
  return `${file.ok ? "ok  " : "FAIL"}  ${file.name}  ${numbers.filter(Boolean).join(", ")}${seconds}`;
}

/** The name of what failed, where, and what tap says of it: without how it ran the file, and without its source. */
function describeFailure(result: Result): string {
  const {
    at,
    diff,
    stack,
    source: _,
    compare: __,
    stdio,
    command,
    args,
    cwd,
    jobId,
    externalID,
    ...more
  } = result.diag ?? {};
  const lines = Object.entries(more).map(([name, value]) => `${name}: ${inspect(value)}`);
  const place = at ? `${at.fileName}:${at.lineNumber}:${at.columnNumber}` : "";
  const all = [result.fullname, place, ...lines, diff, stack].filter(Boolean).map((text) => String(text).trimEnd());
  return all.join("\n").replaceAll("\n", "\n  ");
}
