import t from "tap";
import { testDatabase } from "../support/database.ts";
import { column, connect, failure, value } from "./support.ts";

/*
 * An append of one event runs the body of an apply function in PL/pgSQL within a function of Daybook's own, and calls any
 * other. However the function is written, it does the same.
 */
const database = await testDatabase(t);
const owner = await connect(t, database.url);
await owner.query("create schema forms; grant usage on schema forms to public; set check_function_bodies = off");

const insert = "insert into seen values (event.stream_id, event.version)";
const forms: readonly { readonly name: string; readonly sql: string }[] = [
  { name: "plain", sql: `(event daybook.event) returns void language plpgsql as $$ begin ${insert}; end $$` },
  { name: "semicolon", sql: `(event daybook.event) returns void language plpgsql as $$ begin ${insert}; end; $$` },
  {
    name: "remarks",
    sql: `(event daybook.event) returns void language plpgsql as $$ -- before\nbegin ${insert}; end -- ; behind $$`,
  },
  {
    name: "declares",
    sql: `(event daybook.event) returns void language plpgsql as $$ declare _id text := event.stream_id; begin insert into seen values (_id, event.version); end $$`,
  },
  {
    name: "labelled",
    sql: `(event daybook.event) returns void language plpgsql as $$ <<labelled>> begin ${insert}; exit labelled; end labelled $$`,
  },
  {
    name: "by_its_name",
    sql: `("Event" daybook.event) returns void language plpgsql as $$ begin insert into seen values (by_its_name."Event".stream_id, (by_its_name."Event").version); end $$`,
  },
  {
    name: "unnamed",
    sql: `(daybook.event) returns void language plpgsql as $$ begin insert into seen values (($1).stream_id, ($1).version); end $$`,
  },
  {
    name: "returns",
    sql: `(event daybook.event) returns void language plpgsql as $$ begin ${insert}; return; raise 'not here'; end $$`,
  },
  {
    name: "catches",
    sql: `(event daybook.event) returns void language plpgsql as $$ begin perform 1 / 0; exception when division_by_zero then ${insert}; end $$`,
  },
  {
    name: "compiler_option",
    sql: `(event daybook.event) returns void language plpgsql as $$\n#variable_conflict use_column\nbegin ${insert}; end $$`,
  },
  {
    name: "settings",
    sql: `(event daybook.event) returns void language plpgsql set work_mem = '1MB' as $$ begin if current_setting('work_mem') = '1MB' then ${insert}; end if; end $$`,
  },
  { name: "in_sql", sql: `(event daybook.event) returns void language sql as $$ ${insert} $$` },
  {
    name: "batch",
    sql: "(events daybook.event[]) returns void language plpgsql as $$ begin insert into seen select e.stream_id, e.version from unnest(events) e; end $$",
  },
];

/** Those whose body cannot be put into another function. */
const called = ["compiler_option", "settings", "in_sql", "batch"];

for (const { name, sql } of forms)
  t.test(name, async (t) => {
    await owner.query(`create function forms.${name}${sql}`);
    await owner.query(
      `select daybook.create_projection($1, 'forms.' || $1, '{"seen": "stream_id text, version bigint check (version < 5)"}', mode => 'inline', categories => array[$1])`,
      [name],
    );
    t.equal(
      await value(owner, "select prosrc like '%insert into seen%' from pg_proc where oid = $1::regprocedure", [
        `daybook_doors.daybook_${name}_1(daybook.event)`,
      ]),
      !called.includes(name),
    );
    await owner.query(`select daybook.append_event($1 || '-1', 'A'), daybook.append_event($1 || '-1', 'B')`, [name]);
    await owner.query(`select daybook.append($1 || '-1', '[{"type": "A"}, {"type": "B"}]')`, [name]);
    const seen = () =>
      column(owner, "select stream_id || ' ' || version from daybook_projections.seen order by version");
    const expected = [1, 2, 3, 4].map((version) => `${name}-1 ${version}`);
    t.same(await seen(), expected);

    for (const append of [
      `daybook.append_event('${name}-1', 'C')`,
      `daybook.append('${name}-1', '[{"type": "C"}, {"type": "D"}]')`,
    ]) {
      const { code, detail = "", message } = await failure(() => owner.query(`select ${append}`));
      t.equal(code, "YD607");
      t.match(message, `projection ${name} failed on`);
      t.match(JSON.parse(detail), { projection: name, type: "C", stream_id: `${name}-1`, cause: { code: "23514" } });
    }
    t.same(await seen(), expected);
    t.equal(Number(await value(owner, `select daybook.stream_version('${name}-1')`)), 4);

    await owner.query("select daybook.drop_projection($1)", [name]);
  });

t.test("two of them, and a route: each is given its own", async (t) => {
  await owner.query("create schema others; grant usage, create on schema others to daybook_projector");
  const create = (name: string, schema: string, types: string) =>
    owner.query(
      `select daybook.create_projection($1, 'forms.' || $1, '{"seen": "stream_id text, version bigint"}', mode => 'inline', types => $3, start_from => 'now', schema => $2)`,
      [name, schema, types],
    );
  await create("plain", "daybook_projections", "{A,B}");
  await create("batch", "others", "{B,C}");
  await owner.query("select daybook.create_route('both', 'postgres', types => '{A,C,D}')");
  for (const type of ["A", "B", "C", "D", "E"]) await owner.query("select daybook.append_event('both-1', $1)", [type]);
  await owner.query(
    'select daybook.append(\'both-1\', \'[{"type": "A"}, {"type": "B"}, {"type": "C"}, {"type": "E"}]\')',
  );
  t.same(await column(owner, "select version from daybook_projections.seen order by 1"), [1, 2, 6, 7]);
  t.same(await column(owner, "select version from others.seen order by 1"), [2, 3, 7, 8]);
  t.same(await column(owner, "select type from daybook.outbox where route = 'both' order by position"), [
    "A",
    "C",
    "D",
    "A",
    "C",
  ]);
});
