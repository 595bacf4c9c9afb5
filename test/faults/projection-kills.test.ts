import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import pg from "pg";
import t, { type Test } from "tap";
import {
  fromPg,
  migrate,
  projectionStatus,
  rebuildProjection,
  registerProjection,
  startWorker,
} from "../../src/index.ts";
import type { Random } from "../concurrency/support/random.ts";
import { applyFunctions, codeCounts, sqlCounts } from "../projections/support.ts";
import { testCluster } from "../support/cluster.ts";
import { testDatabase } from "../support/database.ts";
import { eventually } from "../worker/support.ts";
import { seeded } from "./support.ts";

t.setTimeout(300_000);

const PROGRAM = fileURLToPath(new URL("./projection-program.ts", import.meta.url));
const code = { name: "code", schema: "code" };

async function startProgram(t: Test, url: string): Promise<ChildProcess> {
  const child = fork(PROGRAM, [url], { execPath: process.execPath, execArgv: [], stdio: "inherit" });
  t.teardown(() => child.kill("SIGKILL"));
  await once(child, "message");
  return child;
}

/** Appends so many events to some streams. */
async function append(pool: pg.Pool, choices: Random, count: number): Promise<void> {
  for (let done = 0; done < count; done += 500) {
    await pool.query(
      "select daybook.append('s-' || $1::text, (select jsonb_agg(jsonb_build_object('type', 'Told')) from generate_series(1, 500)))",
      [choices.between(0, 9)],
    );
  }
}

/** What is wrong with the rows that readers of a projection see: nothing, if they are a fold of the log. */
async function differences(pool: pg.Pool, schema: string): Promise<unknown[]> {
  const { rows } = await pool.query(`
    select coalesce(e.stream_id, c.stream_id) as stream_id, c.events, e.events as expected
      from (select stream_id, count(*) as events from daybook.events group by 1) e
      full join ${schema}.counts c on c.stream_id = e.stream_id
     where c.events is distinct from e.events`);
  return rows;
}

async function prepare(pool: pg.Pool): Promise<void> {
  await applyFunctions({ pool });
  // slow enough to be killed in the middle of it
  await pool.query(`
    create or replace function app.counts(events daybook.event[]) returns void language plpgsql as $$ begin
      insert into counts as c (stream_id, events) select e.stream_id, count(*) from unnest(events) e group by 1 order by 1
      on conflict (stream_id) do update set events = c.events + excluded.events;
      perform pg_sleep(0.02);
    end $$;
    create schema code; grant usage, create on schema code to daybook_projector`);
}

seeded(
  t,
  "workers are killed while they build: nothing is lost or doubled, readers see no half",
  {},
  async (t, choices) => {
    const { url, pool, db } = await testDatabase(t);
    await prepare(pool);
    await append(pool, choices, 20_000);
    let child = await startProgram(t, url);
    const isThere = async () => (await projectionStatus(db)).every(({ behind, building }) => behind === 0 && !building);
    await eventually(isThere, 60_000);
    for (const name of ["counts", "code"]) await rebuildProjection(db, { name });
    let midway = 0;
    for (let kills = 0; kills < 6; kills += 1) {
      const before = (await projectionStatus(db)).map(({ building }) => building?.position ?? null);
      await sleep(choices.between(50, 700));
      child.kill("SIGKILL");
      await once(child, "exit");
      const status = await projectionStatus(db);
      const progress = status.map(({ building }) => building?.position ?? null);
      t.ok(
        progress.every((position, n) => position === null || position >= (before[n] ?? 0n)),
        `what was built stays built (${progress.join(" and ")})`,
      );
      midway += status.filter(({ building }) => (building?.position ?? 0n) > 0n).length;
      for (const schema of ["daybook_projections", "code"]) {
        t.same(await differences(pool, schema), [], `${schema}: readers see all of it`);
      }
      child = await startProgram(t, url);
    }
    t.ok(midway > 0, "killed in the middle of it");
    await append(pool, choices, 1000);
    await eventually(isThere, 60_000);
    t.same(
      (await projectionStatus(db)).map(({ version }) => version),
      [2, 2],
    );
    t.same(await differences(pool, "daybook_projections"), []);
    t.same(await differences(pool, "code"), []);
    child.kill("SIGKILL");
  },
);

seeded(t, "the server is killed while a worker builds: it goes on where it was", {}, async (t, choices) => {
  const cluster = await testCluster(t);
  const pool = new pg.Pool({ connectionString: cluster.url });
  pool.on("error", () => undefined);
  t.teardown(() => pool.end());
  const db = fromPg(pool);
  await migrate(pool);
  await prepare(pool);
  await append(pool, choices, 20_000);
  const projections = [sqlCounts({ mode: "inline" }), codeCounts(code)];
  await registerProjection(db, projections[0] ?? sqlCounts());
  const worker = await startWorker({ db: cluster.url, projections, safetyPoll: 60_000, stopTimeout: 2000 });
  t.teardown(() => worker.stop());
  const isThere = async () =>
    (await projectionStatus(db)).every(
      ({ behind, building, state }) => behind === 0 && !building && state !== "following",
    );
  await eventually(isThere, 60_000);
  for (const name of ["counts", "code"]) await rebuildProjection(db, { name });
  for (let kills = 0; kills < 3; kills += 1) {
    await sleep(choices.between(50, 500));
    await cluster.kill9();
    await cluster.restart();
    await eventually(
      () =>
        append(pool, choices, 500).then(
          () => true,
          () => false,
        ),
      30_000,
    );
  }
  await eventually(() => isThere().catch(() => false), 90_000);
  t.same(
    (await projectionStatus(db)).map(({ version }) => version),
    [2, 2],
  );
  t.same(await differences(pool, "daybook_projections"), []);
  t.same(await differences(pool, "code"), []);
});
