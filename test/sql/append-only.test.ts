import t from "tap";
import { testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";
import { column, connect, failure, refused, rows, value, writesNothing } from "./support.ts";

const database = await testDatabase(t);
const owner = await connect(t, database.url);
await owner.query("select daybook.append_event('a-' || n, 'T', '{\"n\": 1}') from generate_series(1, 5) n");
// partitions made after the install, ahead and behind
await owner.query("select daybook.ensure_partitions(5), daybook._make_partition('2020-01-01 00:00+00')");

const partitions = (
  await column(
    owner,
    "select inhrelid::regclass::text from pg_inherits where inhparent = 'daybook.event_log'::regclass",
  )
).map(String);
const tables = ["daybook.event_log", ...partitions];
const withEvents = await value(owner, "select tableoid::regclass::text from daybook.event_log limit 1");

const changes = (relation: string) => [
  `update ${relation} set data = '{}'`,
  `update ${relation} set position = position where false`,
  `delete from ${relation}`,
  `delete from ${relation} where false`,
  `merge into ${relation} l using (select 1) x on true when matched then update set data = '{}'`,
  `merge into ${relation} l using (select 1) x on true when matched then delete`,
];
const truncations = (relation: string) => [`truncate ${relation}`, `truncate ${relation} restart identity cascade`];

t.test("there are partitions to try", async (t) => {
  t.equal(partitions.length, 7);
  t.ok(partitions.includes(String(withEvents)));
});

for (const role of ["origin", "replica", "local"]) {
  t.test(`the owner, a superuser, with session_replication_role = ${role}`, async (t) => {
    await owner.query(`set session_replication_role = ${role}`);
    await writesNothing(t, owner, "all", async () => {
      for (const table of tables) {
        for (const statement of [...changes(table), ...truncations(table)]) {
          const detail = await refused(t, "YD301", statement, () => owner.query(statement));
          t.same(Object.keys(detail).sort(), ["operation", "table"]);
        }
      }
      await refused(t, "YD301", "several tables at once", () =>
        owner.query("truncate daybook.checkpoints, daybook.event_log"),
      );
      for (const statement of changes("daybook.events").filter((s) => !s.startsWith("merge"))) {
        await refused(t, "55000", `${statement}: no view of two tables takes changes`, () => owner.query(statement));
      }
    });
    await owner.query("reset session_replication_role");
  });
}

t.test("a cascade from a table that refers to events", async (t) => {
  // nothing unique to refer to: no foreign key, so no cascade, can reach the events
  await refused(t, "42830", "foreign key to the log", () =>
    owner.query(
      "create table public.notes (position bigint references daybook.event_log (position) on delete cascade)",
    ),
  );
});

for (const role of ["daybook_reader", "daybook_writer", "daybook_worker", "daybook_admin"]) {
  t.test(`${role}, granted every tenant`, async (t) => {
    const login = await connect(t, await roleLogin(database, { roles: [role], tenants: ["*"] }));
    await writesNothing(t, owner, "all", async () => {
      for (const table of tables) {
        for (const statement of [
          ...changes(table),
          ...truncations(table),
          `insert into ${table} select * from daybook.event_log`,
        ]) {
          const { code, message } = await failure(() => login.query(statement));
          t.equal(code, "42501", `${statement}: ${message}`);
        }
      }
      for (const statement of [
        "delete from daybook.streams",
        "update daybook.streams set version = 0",
        "insert into daybook.streams default values",
      ]) {
        t.equal((await failure(() => login.query(statement))).code, "42501", statement);
      }
      for (const statement of changes("daybook.events").filter((s) => !s.startsWith("merge"))) {
        t.match((await failure(() => login.query(statement))).code, /^(42501|55000)$/, statement);
      }
      for (const statement of [
        "alter table daybook.event_log disable trigger all",
        `alter table ${withEvents} disable trigger append_only`,
        "drop trigger append_only on daybook.event_log",
        "drop table daybook.event_log",
        `alter table daybook.event_log detach partition ${withEvents}`,
        "set session_replication_role = replica",
        "create or replace function daybook.refuse_change() returns trigger language plpgsql as 'begin return null; end'",
      ]) {
        t.equal((await failure(() => login.query(statement))).code, "42501", statement);
      }
    });
  });
}

t.test("each table of events has its trigger, which fires always", async (t) => {
  t.same(
    await rows(
      owner,
      `select c.oid::regclass::text as table, t.tgname as trigger, t.tgenabled as enabled, t.tgfoid::regprocedure::text as calls, t.tgtype::int as type
         from pg_partition_tree('daybook.event_log') p
         join pg_class c on c.oid = p.relid
         left join pg_trigger t on t.tgrelid = c.oid and not t.tgisinternal
        order by 1`,
    ),
    // before (2), for each statement (no 1), delete (8), update (16), truncate (32)
    tables
      .toSorted()
      .map((table) => ({ table, trigger: "append_only", enabled: "A", calls: "daybook.refuse_change()", type: 58 })),
  );
});
