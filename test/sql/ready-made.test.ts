import t, { type Test } from "tap";
import { random } from "../concurrency/support/random.ts";
import { testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";
import { connect, type Queryable, rows, value } from "./support.ts";

/** The projections that ship with Daybook: their rows are those of a query over the events. */

const names = ["event_counts", "last_events", "audit_trail"] as const;

/** What each of them is, over all events. */
const directly: Record<(typeof names)[number], string> = {
  event_counts: `
    select tenant_id, category, type, (recorded_at at time zone 'UTC')::date as day, count(*) as events,
           min(position) as first_position, max(position) as last_position
      from daybook.events group by 1, 2, 3, 4`,
  last_events: `
    select tenant_id, stream_id, category, version, position, event_id, type, data, metadata, correlation_id, occurred_at, recorded_at
      from daybook.events e
     where version = (select s.version from daybook.streams s where s.tenant_id = e.tenant_id and s.stream_id = e.stream_id)`,
  audit_trail: `
    select tenant_id, position, event_id, occurred_at, recorded_at, metadata ->> 'actor' as actor, type as action, category as entity_type,
           nullif(split_part(stream_id, '-', 2), '') as entity_id, stream_id, version, correlation_id, causation_id, data as details, metadata
      from daybook.events`,
};

async function compare(t: Test, db: Queryable, filter = "true"): Promise<void> {
  for (const name of names) {
    const all = `select to_jsonb(r)::text as line from (select * from %) r where ${filter} order by 1`;
    const found = await rows(db, all.replace("%", `daybook_projections.${name}`));
    t.ok(found.length > 5, `${name}: ${found.length} rows`);
    t.same(found, await rows(db, all.replace("%", `(${directly[name]}) d`)), name);
  }
}

async function appendSome(db: Queryable, seed: number, count: number): Promise<void> {
  const choose = random(seed);
  for (let i = 0; i < count; i += 1) {
    const events = Array.from({ length: choose.between(1, 8) }, () => ({
      type: choose.pick(["Opened", "Moved", "Closed"]),
      data: { n: choose.below(100) },
      metadata: choose.chance(0.7) ? { actor: choose.pick(["ada", "grace"]) } : {},
      ...(choose.chance(0.3) ? { correlation_id: choose.uuid(), occurred_at: "2026-01-02T03:04:05.678Z" } : {}),
    }));
    const stream = choose.pick(["visit-1", "visit-2", "Visit-3", "room-1", "room"]);
    await db.query("select from daybook.append($1, $2, tenant_id => $3)", [
      stream,
      JSON.stringify(events),
      choose.pick(["one", "two"]),
    ]);
  }
}

async function advance(db: Queryable, name: string): Promise<void> {
  for (;;) {
    const outcome = await value(db, "select outcome from daybook.advance_projection($1, 37)", [name]);
    if (outcome !== "more") return;
  }
}

t.test("following: behind, then up to date, then rebuilt", async (t) => {
  const { pool } = await testDatabase(t);
  await appendSome(pool, 1, 60);
  for (const name of names) t.equal(await value(pool, `select daybook.create_${name}()`), true);
  for (const name of names) t.equal(await value(pool, `select daybook.create_${name}()`), false, "it is there");
  for (const name of names) await advance(pool, name);
  await compare(t, pool);
  await appendSome(pool, 2, 20);
  for (const name of names) await advance(pool, name);
  await compare(t, pool);
  for (const name of names) {
    await pool.query("select daybook.rebuild_projection($1)", [name]);
    await advance(pool, `${name}@2`);
    t.equal(await value(pool, "select version from daybook.projections where name = $1", [name]), 2);
  }
  await compare(t, pool);
});

t.test("inline: appends themselves keep them up to date", async (t) => {
  const { pool } = await testDatabase(t);
  await appendSome(pool, 3, 20);
  for (const name of names) await pool.query(`select daybook.create_${name}(mode => 'inline')`);
  t.same(await rows(pool, "select distinct state from daybook.projections"), [{ state: "inline" }]);
  await compare(t, pool);
  await appendSome(pool, 4, 40);
  await compare(t, pool);
  await Promise.all([5, 6, 7, 8].map((seed) => appendSome(pool, seed, 20)));
  await compare(t, pool);
});

t.test(
  "of some types and categories, under a name and in a schema of one's own; nobody sees another's tenant",
  async (t) => {
    const database = await testDatabase(t);
    const { pool } = database;
    await appendSome(pool, 9, 40);
    await pool.query(`
    create schema reading authorization daybook_projector;
    grant usage on schema reading to daybook_reader;
    select daybook.create_event_counts('visits', types => '{Opened,Closed}', categories => '{visit}', schema => 'reading')`);
    await advance(pool, "visits");
    const reader = await connect(t, await roleLogin(database, { roles: ["daybook_reader"], tenants: ["one"] }));
    t.same(
      await rows(reader, "select tenant_id, category, type, events from reading.event_counts order by type"),
      await rows(
        pool,
        `select tenant_id, category, type, count(*) as events from daybook.events
        where category = 'visit' and type in ('Opened', 'Closed') and tenant_id = 'one' group by 1, 2, 3 order by type`,
      ),
    );
  },
);
