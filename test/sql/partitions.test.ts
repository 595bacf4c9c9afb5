import t from "tap";
import { testDatabase } from "../support/database.ts";
import { month, nameOf, onlyMonths, states, writeIn } from "./months.ts";
import { column, connect, row, rows, value } from "./support.ts";

t.test("partitions are made months ahead, and each once", async (t) => {
  const db = await connect(t, (await testDatabase(t)).url);
  await onlyMonths(db, []);
  const made = await column(db, "select daybook.ensure_partitions()");
  t.same(made, await Promise.all([0, 1, 2, 3].map((n) => nameOf(db, n))), "this month and settings.partitions_ahead");
  t.same(await column(db, "select daybook.ensure_partitions()"), []);
  t.same(await column(db, "select daybook.ensure_partitions(5)"), await Promise.all([4, 5].map((n) => nameOf(db, n))));
  await db.query("select daybook.configure('partitions_ahead', '7')");
  t.same(
    await column(db, "select result from daybook.upkeep() where task = 'partition made'"),
    await Promise.all([6, 7].map((n) => nameOf(db, n))),
  );

  t.same(await rows(db, "select state, count(*) from daybook.partitions group by 1 order by 1"), [
    { state: "ahead", count: 7 },
    { state: "current", count: 1 },
  ]);
  t.equal(
    await value(
      db,
      `select bool_and(range_from at time zone 'UTC' = date_trunc('month', range_from at time zone 'UTC') and range_to at time zone 'UTC' = range_from at time zone 'UTC' + interval '1 month') from daybook.partitions`,
    ),
    true,
    "months of UTC",
  );
  t.equal(
    await value(
      db,
      "select count(*) from pg_class where relname like 'event_log%' and pg_get_expr(relpartbound, oid) = 'DEFAULT'",
    ),
    0,
    "no default partition",
  );
});

t.test("months are months of UTC, whatever the session's time zone and date style", async (t) => {
  const db = await connect(t, (await testDatabase(t)).url);
  for (const [zone, style, ahead] of [
    ["Pacific/Auckland", "ISO, MDY", 4],
    ["America/Caracas", "SQL, DMY", 5],
    ["Asia/Kolkata", "German", 6],
    ["Asia/Kolkata", "Postgres", 7],
  ] as const) {
    await db.query(`set timezone = '${zone}'; set datestyle = '${style}'`);
    t.same(
      await column(db, "select daybook.ensure_partitions($1)", [ahead]),
      [await nameOf(db, ahead)],
      `${zone}, ${style}`,
    );
    t.equal(await value(db, `select daybook._writable_until() = ${month(ahead + 1)}`), true);
  }
  await db.query("set timezone = 'UTC'; set datestyle = 'ISO'");
  t.same(
    await rows(
      db,
      `select p.partition_name, pg_get_expr(c.relpartbound, c.oid) as bounds
         from daybook.event_partitions p join pg_class c on c.relname = p.partition_name
        where pg_get_expr(c.relpartbound, c.oid) <> format('FOR VALUES FROM (%L) TO (%L)', p.range_from, p.range_to)`,
    ),
    [],
    "the tables' bounds are what event_partitions says",
  );
});

t.test("the first append of a month without a partition makes it", async (t) => {
  const db = await connect(t, (await testDatabase(t)).url);
  for (const [name, months] of [
    ["none at all", []],
    ["those of last month and before", [-2, -1]],
  ] as const) {
    for (const call of [
      "append_event('a-1', 'T')",
      `append('a-1', '[{"type": "T"}, {"type": "T"}]')`,
      `append_batch('[{"stream_id": "a-1", "events": [{"type": "T"}]}]')`,
    ]) {
      await onlyMonths(db, [...months]);
      await db.query(`select daybook.${call}`);
      const [event] = await rows(
        db,
        "select tableoid::regclass::text as partition, recorded_at from daybook.event_log",
      );
      t.equal(event?.partition, `daybook.${await nameOf(db, 0)}`, `${name}: ${call}`);
      t.ok(Math.abs(Date.now() - Number(event?.recorded_at)) < 60_000);
      t.ok((await states(db)).some((p) => p.state === "current"));
      await db.query(`select daybook.${call}`);
      t.ok(Number(await value(db, "select daybook.stream_version('a-1')")) >= 2);
    }
  }
});

t.test("making a partition stops nobody", async (t) => {
  const { url } = await testDatabase(t);
  const [maker, other] = [await connect(t, url), await connect(t, url)];
  for (const end of ["commit", "rollback"]) {
    await onlyMonths(maker, [-1]);
    await writeIn(maker, -1, "there-1");
    await maker.query("begin; select daybook.append_event('maker-1', 'T')");
    await other.query("set lock_timeout = '200ms'");
    for (const call of [
      "append_event('there-1', 'T')",
      "append_event('new-1', 'T')",
      `append('new-1', '[{"type": "T"}, {"type": "T"}]')`,
    ]) {
      await other.query(`select daybook.${call}`);
    }
    t.same(
      await column(other, "select distinct tableoid::regclass::text from daybook.event_log"),
      [`daybook.${await nameOf(other, -1)}`],
      "in the last moment of the month before",
    );
    await maker.query(end);
    await other.query("select daybook.append_event('there-1', 'T'), daybook.append_event('new-1', 'T')");
    t.same(
      await rows(other, "select stream_id, version from daybook.read_all() order by stream_id, version"),
      [
        ...(end === "commit" ? [{ stream_id: "maker-1", version: 1 }] : []),
        ...[1, 2, 3, 4].map((version) => ({ stream_id: "new-1", version })),
        ...[1, 2, 3].map((version) => ({ stream_id: "there-1", version })),
      ],
      `after its ${end}`,
    );
    for (const [stream, count] of [
      ["new-1", 4],
      ["there-1", 3],
    ] as const) {
      t.equal((await rows(other, "select from daybook.read_stream($1)", [stream])).length, count);
    }
    t.equal(
      await value(
        other,
        "select count(*) from (select recorded_at < lag(recorded_at) over (partition by stream_id order by version) as back from daybook.events) x where back",
      ),
      0,
      "times do not run backwards",
    );
    t.ok(
      (await states(other)).some((p) => p.state === "current"),
      "made, by the one or by the next",
    );
  }
});

t.test("the view has the facts of each partition", async (t) => {
  const db = await connect(t, (await testDatabase(t)).url);
  await db.query("select daybook.append_event('a-' || n, 'T') from generate_series(1, 100) n");
  await db.query("analyze daybook.event_log");
  const facts = await row(db, "select * from daybook.partitions where state = 'current'");
  t.match(facts, { partition: await nameOf(db, 0), rows: 100, first_position: 1, last_position: 100, passed: false });
  t.equal(
    facts.bytes,
    await value(db, "select pg_total_relation_size(format('daybook.%I', $1::text)::regclass)", [facts.partition]),
  );
});
