import t from "tap";
import {
  defineConfig,
  type Projection,
  pauseProjection,
  projectionStatus,
  rebuildProjection,
  registerProjection,
  resumeProjection,
} from "../../src/index.ts";
import { applyFunctions, codeCounts, counts, seen, sqlCounts, tell, visits } from "../projections/support.ts";
import { testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";
import { eventually, work } from "./support.ts";

t.setTimeout(120_000);

async function started(t: Parameters<typeof work>[0], ...projections: Projection[]) {
  const database = await testDatabase(t);
  await applyFunctions(database);
  return { database, db: database.db, ...(await work(t, database, { projections })) };
}

for (const [kind, make] of [
  ["SQL", sqlCounts],
  ["TypeScript", codeCounts],
] as const) {
  t.test(`a worker keeps a projection in ${kind} up to date, builds the next version and switches to it`, async (t) => {
    const { database, db, facts } = await started(t, make());
    await tell(db, "a-1", 3);
    await eventually(async () => (await seen(database))["a-1"] === 3);
    await pauseProjection(db, { name: "counts" });
    await tell(db, "a-1", 2);
    await rebuildProjection(db, { name: "counts" });
    await eventually(async () => (await projectionStatus(db))[0]?.version === 2);
    t.same(await seen(database), { "a-1": 5 }, "what was paused is rebuilt all the same");
    await resumeProjection(db, { name: "counts" });
    await tell(db, "b-1");
    await eventually(async () => (await seen(database))["b-1"] === 1);
    t.same(
      facts.filter(({ level }) => level !== "info"),
      [],
    );
  });
}

t.test("an inline projection with a long log behind it is followed, then switched on", async (t) => {
  const database = await testDatabase(t);
  const { db, pool } = database;
  await applyFunctions(database);
  await pool.query(
    "select daybook.append('a-' || n, (select jsonb_agg(jsonb_build_object('type', 'Told')) from generate_series(1, 1000))) from generate_series(1, 12) n",
  );
  await work(t, database, { projections: [sqlCounts({ mode: "inline" })] });
  await eventually(async () => (await projectionStatus(db))[0]?.state === "inline");
  await tell(db, "a-1");
  t.equal((await seen(database))["a-1"], 1001, "there with the append");
});

t.test("projections in SQL are run by every worker, those in TypeScript where their revision is", async (t) => {
  const { database, db, worker: old } = await started(t, codeCounts({ revision: 1 }));
  await registerProjection(db, sqlCounts({ name: "visits", apply: "app.visits", tables: visits }));
  await tell(db, "a-1");
  await eventually(async () => (await projectionStatus(db)).every(({ behind }) => behind === 0));

  const next = codeCounts({ revision: 2, tables: { counts: `${counts.counts}, note text` } });
  await registerProjection(db, next);
  await tell(db, "a-1");
  await eventually(async () => (await seen(database))["a-1"] === 2);
  t.match((await projectionStatus(db, { name: "counts" }))[0]?.building, { position: 0n }, "nobody has its code yet");
  await work(t, database, { projections: [next] });
  await eventually(async () => (await projectionStatus(db, { name: "counts" }))[0]?.revision === 2);
  t.same(await seen(database), { "a-1": 2 });
  await tell(db, "a-1");
  await eventually(async () => (await seen(database))["a-1"] === 3);
  await old.stop();
  t.match(defineConfig({ projections: [next] }), { projections: [{ name: "counts" }] });
});

t.test("an event that fails: halted, resumed; parked, and the others flow", async (t) => {
  const retry = { attempts: 2, baseDelay: 10 };
  const { database, db, facts } = await started(
    t,
    sqlCounts({ name: "visits", apply: "app.visits", tables: visits, retry }),
    codeCounts({
      onFailure: "park",
      retry,
      handle(event: { data: { fail?: boolean }; streamId: string }, { tx }: { tx: typeof db }) {
        if (event.data.fail) throw new Error("no");
        return tx.query(
          "insert into counts values ($1, 1) on conflict (stream_id) do update set events = counts.events + 1",
          [event.streamId],
        );
      },
    }),
  );
  await tell(db, "a-1");
  await tell(db, "bad-1", 1, { fail: true });
  await tell(db, "a-1");
  await eventually(async () => (await projectionStatus(db, { name: "visits" }))[0]?.state === "halted");
  const [status] = await projectionStatus(db, { name: "visits" });
  t.match(status, { health: "critical", needsPerson: true, lastError: { message: "cannot take it" } });
  t.ok(facts.some(({ type }) => type === "consumer-halted"));
  await eventually(async () => (await seen(database))["a-1"] === 2);
  t.match(await projectionStatus(db, { name: "counts" }), [{ state: "running", parkedStreams: 1 }]);
  await database.pool.query(
    "create or replace function app.visits(event daybook.event) returns void language plpgsql as $$ begin insert into visits values (event.position, event.stream_id); end $$",
  );
  await rebuildProjection(db, { name: "visits" });
  await eventually(async () => (await projectionStatus(db, { name: "visits" }))[0]?.behind === 0);
  t.match(await projectionStatus(db, { name: "visits" }), [{ version: 2, state: "running" }]);
});

t.test(
  "as a role that may only work: what an administrator has made is run, a new revision waits for one",
  async (t) => {
    const database = await testDatabase(t);
    const { db } = database;
    await applyFunctions(database);
    const made = [sqlCounts({ name: "sql", schema: "sql" }), codeCounts()];
    await database.pool.query("create schema sql; grant usage, create on schema sql to daybook_projector");
    for (const projection of made) await registerProjection(db, projection);
    const url = await roleLogin(database, { roles: ["daybook_worker"], tenants: ["*"] });
    // graphile-worker makes its schema
    await database.pool.query(`grant create on database ${database.name} to ${new URL(url).username}`);
    const { facts } = await work(t, database, {
      db: url,
      projections: [made[0] ?? codeCounts(), codeCounts({ revision: 2 })],
    });
    t.ok(facts.some(({ type, detail }) => type === "projection-not-updated" && detail?.name === "counts"));
    const second = await work(t, database, { db: url, projections: made });
    await tell(db, "a-1", 3);
    await eventually(async () => (await projectionStatus(db)).every(({ behind }) => behind === 0));
    t.same(await seen(database), { "a-1": 3 });
    await rebuildProjection(db, { name: "counts" });
    await rebuildProjection(db, { name: "sql" });
    await eventually(async () => (await projectionStatus(db)).every(({ version }) => version === 2));
    t.same(await seen(database), { "a-1": 3 });
    t.same(
      second.facts.filter(({ level }) => level !== "info"),
      [],
    );
  },
);
