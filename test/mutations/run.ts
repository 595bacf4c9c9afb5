/*
 * What `npm run test:mutations` runs: the store with one rule broken at a time, and the test that must notice.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { announcement, exitOnSignals, startTestServer } from "../support/server.ts";
import { MUTATIONS, type Mutation } from "./mutations.ts";

const HELP = `npm run test:mutations [-- NAME …] [--part N/M]

Breaks the rules of the store one by one, or those named, each in a fresh database, and runs the test that must notice.
A mutation passes if that test fails; before, each of the tests has to succeed on the store as it is.

  --part N/M the N-th of M parts of them (2/3: every third, from the second on)
  --list     the mutations and their rules
  --help     this

Exit code: 0 if every broken rule was noticed, 1 if one was not, 2 if the command was not understood.`;

/** Tests that run at once. */
const AT_ONCE = 2;
/** A test that a broken rule has brought to a halt is ended then, in milliseconds. */
const PATIENCE = 120_000;
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

interface Ran {
  readonly ok: boolean;
  /** Names of the tests in which something failed. */
  readonly failed: readonly string[];
  readonly output: string;
  readonly seconds: number;
}

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  const options = { part: { type: "string" }, list: { type: "boolean" }, help: { type: "boolean" } } as const;
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true, strict: false });
  const unknown = positionals.filter((name) => !MUTATIONS.some((one) => one.name === name));
  if (values.help) console.log(HELP);
  else if (values.list)
    console.log(MUTATIONS.map(({ name, rule, test }) => `${name}\n  ${rule}\n  ${test}`).join("\n"));
  else if (unknown.length > 0)
    console.error(`There is no mutation ${unknown.join(", ")}; see npm run test:mutations -- --list`);
  else if (values.part !== undefined && partOf(MUTATIONS, values.part).length === 0)
    console.error(`There is no part ${values.part}; 2/3 is the second of three`);
  else {
    const named = positionals.length > 0 ? MUTATIONS.filter(({ name }) => positionals.includes(name)) : MUTATIONS;
    return check(values.part === undefined ? named : partOf(named, values.part));
  }
  return values.help || values.list ? 0 : 2;
}

/** `2/3`: every third, from the second on. None where the part is not one. */
function partOf(mutations: readonly Mutation[], part: string | boolean): readonly Mutation[] {
  const [, place = 0, parts = 0] = (/^(\d{1,3})\/(\d{1,3})$/.exec(String(part)) ?? []).map(Number);
  return place < 1 || place > parts ? [] : mutations.filter((_one, i) => i % parts === place - 1);
}

async function check(mutations: readonly Mutation[]): Promise<number> {
  exitOnSignals();
  const server = await startTestServer();
  try {
    const environment = announcement(server);
    const tests = [...new Set(mutations.map(({ test }) => test))];
    const sound = await atOnce(tests, async (test) => ({ test, ran: await run(test, environment) }));
    const unsound = sound.filter(({ ran }) => !ran.ok);
    for (const { test, ran } of unsound) console.log(`${test} fails on the store as it is:\n${tail(ran.output)}\n`);

    console.log(line("", "", "mutation", "the rule it breaks"));
    const results = await atOnce(mutations, async (mutation) => {
      const result = await attempt(mutation, environment);
      console.log(
        line(
          result.problem === null ? "noticed" : "MISSED",
          `${result.seconds.toFixed(1)} s`,
          mutation.name,
          mutation.rule,
        ),
      );
      return { mutation, ...result };
    });
    const failed = results.filter(({ problem }) => problem !== null);
    for (const { mutation, problem } of failed) console.log(`\nFailed: ${mutation.name}: ${problem}`);
    const broken = failed.length + unsound.length;
    console.log(`\n${results.length - failed.length} passed, ${broken} failed`);
    return broken === 0 ? 0 : 1;
  } finally {
    await server.stop();
  }
}

/** Runs the test of a mutation; the problem is null if the right test has failed. */
async function attempt(
  mutation: Mutation,
  environment: Record<string, string>,
): Promise<{ problem: string | null; seconds: number }> {
  try {
    mutation.sql();
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error), seconds: 0 };
  }
  const ran = await run(mutation.test, { ...environment, DAYBOOK_MUTATION: mutation.name });
  const { failed, seconds, output } = ran;
  if (failed.some((name) => name.includes(mutation.caught))) return { problem: null, seconds };
  const instead =
    failed.length > 0
      ? `these failed instead: ${failed.join("; ")}`
      : ran.ok
        ? "nothing failed"
        : `no test ran:\n${tail(output)}`;
  return { problem: `${mutation.test} did not fail in "${mutation.caught}": ${instead}`, seconds };
}

function run(test: string, environment: Record<string, string>): Promise<Ran> {
  const start = Date.now();
  const child = spawn(process.execPath, [test], {
    cwd: ROOT,
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const patience = setTimeout(() => child.kill("SIGKILL"), PATIENCE);
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  return new Promise((done, fail) => {
    child.once("error", fail).once("close", (code) => {
      clearTimeout(patience);
      done({ ok: code === 0, failed: failedTests(output), output, seconds: (Date.now() - start) / 1000 });
    });
  });
}

/** From the output of tap: the outermost tests that have a failure in them. */
function failedTests(output: string): string[] {
  const failed = new Set<string>();
  let current: string | null = null;
  for (const line of output.split("\n")) {
    const started = /^# Subtest: (.*)$/.exec(line)?.[1];
    if (started !== undefined) current = started;
    else if (/^\s*not ok /.test(line) && current !== null) failed.add(current);
  }
  return [...failed];
}

async function atOnce<T, R>(list: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const rest = [...list.entries()];
  const worker = async () => {
    for (let next = rest.shift(); next !== undefined; next = rest.shift()) results[next[0]] = await work(next[1]);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}

/** A line of the table. */
function line(result: string, time: string, name: string, rule: string): string {
  return `${result.padEnd(8)}${time.padStart(7)}  ${name.padEnd(34)}${rule}`;
}

function tail(output: string): string {
  return output.trimEnd().split("\n").slice(-25).join("\n");
}
