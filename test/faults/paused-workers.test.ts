import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import t, { type Test } from "tap";
import type { Random } from "../concurrency/support/random.ts";
import { value } from "../handlers/support.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";
import { eventually } from "../worker/support.ts";
import { effectsOf, effectsTable, Streams, seeded } from "./support.ts";

t.setTimeout(120_000);

const PROGRAM = fileURLToPath(new URL("./worker-program.ts", import.meta.url));

const ROUNDS = 3;

interface Program {
  readonly name: string;
  readonly child: ChildProcess;
}

async function startPrograms(t: Test, { url }: TestDatabase): Promise<readonly Program[]> {
  const programs = ["first", "second"].map((name) => {
    const named = new URL(url);
    named.searchParams.set("application_name", name);
    const child = fork(PROGRAM, [named.href, name, "3"], {
      execPath: process.execPath,
      execArgv: [],
      stdio: "inherit",
    });
    t.teardown(() => child.kill("SIGKILL"));
    return { name, child };
  });
  await Promise.all(programs.map(({ child }) => once(child, "message")));
  return programs;
}

/** How many batches a process has in hand. */
const batchesOf = (database: TestDatabase, { name }: Program) =>
  value<number>(
    database,
    `select count(*)::integer from pg_stat_activity
      where datname = current_database() and application_name = $1 and xact_start is not null and backend_xid is not null`,
    [name],
  );

/** Stops one of them, by choice, while it has a batch in hand, with effects in it. */
async function pauseInBatch(database: TestDatabase, programs: readonly Program[], choices: Random): Promise<Program> {
  for (;;) {
    const program = choices.pick(programs);
    program.child.kill("SIGSTOP");
    // what it has sent by then is done
    await sleep(20);
    if ((await batchesOf(database, program)) > 0) return program;
    program.child.kill("SIGCONT");
    await sleep(20);
  }
}

/** Ends the sessions of a process, as a server does that takes them for dead. */
const endSessions = ({ pool }: TestDatabase, { name }: Program) =>
  pool.query(
    "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = current_database() and application_name = $1",
    [name],
  );

for (const isEnded of [false, true]) {
  const what = isEnded ? "taken for dead, and continued: it writes nothing more" : "and continued: it finishes";
  seeded(t, `a worker is paused in the middle of a batch, ${what}`, {}, async (t, choices) => {
    const database = await testDatabase(t);
    await effectsTable(database);
    await database.pool.query("alter table effects add column worker text");
    const programs = await startPrograms(t, database);
    const streams = new Streams(database, choices, 12);
    const count = () => value<number>(database, "select count(*)::integer from effects");
    for (let round = 1; round <= ROUNDS; round += 1) {
      const isPaused = new AbortController();
      const appending = (async () => {
        while (!isPaused.signal.aborted) await streams.append(10);
      })();
      await sleep(choices.between(50, 300));
      const paused = await pauseInBatch(database, programs, choices);
      isPaused.abort();
      await appending;
      if (isEnded) {
        await endSessions(database, paused);
        await eventually(async () => (await count()) === streams.count(), 15_000);
      } else {
        await sleep(choices.between(500, 2000));
      }
      paused.child.kill("SIGCONT");
    }
    await streams.append(30);
    await eventually(async () => (await count()) >= streams.count(), 20_000);
    await sleep(300);
    t.same(streams.violations(await effectsOf(database), true), [], "each once, each stream in order");
    const { rows } = await database.pool.query("select worker, count(*)::integer as count from effects group by 1");
    t.comment(rows.map(({ worker, count }) => `${worker} ${count}`).join(", "));
    t.equal(await value(database, "select count(*)::integer from daybook.parked_streams"), 0);
    t.ok(
      programs.every(({ child }) => child.exitCode === null && child.signalCode === null),
      "both are there",
    );
  });
}
