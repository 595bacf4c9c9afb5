import t from "tap";
import { testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";
import { column, connect, refused, row, rows, value } from "./support.ts";

const database = await testDatabase(t);
const db = await connect(t, database.url);
const create = (args: string) => value(db, `select daybook.create_route(${args})`);
await create("'by-category', 'queue', categories => '{cart}'");

t.test("mapping: the public payload; null is not sent; what fails refuses the append", async (t) => {
  await db.query(`create schema app;
    create table app.names (id text primary key, name text);
    insert into app.names values ('map-1', 'Ada');
    create function app.public_event(event daybook.event) returns jsonb language sql stable as $$
      select case (event).type
        when 'Hidden' then null
        when 'HiddenToo' then 'null'::jsonb
        when 'Wrong' then '[1]'::jsonb
        when 'Failing' then jsonb_build_object('x', 1 / ((event).data ->> 'by')::integer)
        else jsonb_build_object('who', (select n.name from app.names n where n.id = (event).stream_id), 'v', (event).version) end $$`);
  await create("'mapped', 'queue', categories => '{map}', mapping => 'app.public_event', public_name => 'person.did'");
  const event = (type: string, data = {}) => JSON.stringify([{ type, data, metadata: { ip: "internal" } }]);
  await db.query("select daybook.append('map-1', $1)", [event("Done")]);
  await db.query("select daybook.append('map-1', $1)", [event("Hidden")]);
  await db.query("select daybook.append('map-1', $1)", [event("HiddenToo")]);
  t.same(await rows(db, "select type, data, metadata from daybook.outbox_log where route = 'mapped'"), [
    { type: "person.did", data: { who: "Ada", v: 1 }, metadata: null },
  ]);
  const counts = () =>
    row(db, "select count(*), (select count(*) from daybook.outbox_log) as messages from daybook.event_log");
  const before = await counts();
  for (const [name, call] of [
    ["append", "append('map-1', $1)"],
    [
      "append_streams",
      `append_streams(jsonb_build_array(jsonb_build_object('stream_id', 'map-1', 'events', $1::jsonb)))`,
    ],
  ]) {
    const failing = () => rows(db, `select daybook.${call}`, [event("Failing", { by: 0 })]);
    t.match(await refused(t, "YD505", `${name}`, failing), {
      route: "mapped",
      type: "Failing",
      stream_id: "map-1",
      cause: { code: "22012", message: "division by zero" },
    });
    t.match(
      await refused(t, "YD505", `${name}, no object`, () => rows(db, `select daybook.${call}`, [event("Wrong")])),
      {
        made: "array",
      },
    );
  }
  t.same(await counts(), before, "nothing written");
  t.same(
    await column(db, "select status from daybook.append_batch($1)", [
      JSON.stringify([
        { stream_id: "map-2", events: [{ type: "Failing", data: { by: 0 } }] },
        { stream_id: "map-3", events: [{ type: "Failing", data: { by: 1 } }] },
      ]),
    ]),
    ["failed", "appended"],
  );
});

t.test(
  "mapping: replaced it is the new one, at once; it cannot be dropped; by force, appends are refused",
  async (t) => {
    await db.query(
      "create or replace function app.public_event(event daybook.event) returns jsonb language sql immutable return '{\"new\": true}'::jsonb",
    );
    await db.query("select daybook.append_event('map-4', 'Hidden')");
    t.same(await column(db, "select data from daybook.outbox_log where stream_id = 'map-4'"), [{ new: true }]);
    await t.rejects(db.query("drop function app.public_event(daybook.event)"), { code: "2BP01" });
    await db.query("drop function app.public_event(daybook.event) cascade");
    await refused(t, "YD505", "without its function", () => rows(db, "select daybook.append_event('map-4', 'T')"));
    await db.query("select daybook.append_event('cart-5', 'T')");
    t.pass("routes without a mapping go on");
    const other = await connect(t, await roleLogin(database, { roles: ["daybook_reader"] }));
    await db.query(`grant all on schema app to "${String(await value(other, "select current_user"))}"`);
    await other.query(
      "create function app.public_event(event daybook.event) returns jsonb language sql as $$ select jsonb_build_object('i am', current_user) $$",
    );
    t.match(await refused(t, "YD505", "another in its place", () => create("'unrelated', 'queue', types => '{x}'")), {
      route: "mapped",
    });
    await refused(t, "YD505", "still", () => rows(db, "select daybook.append_event('map-4', 'T')"));
    await refused(t, "YD505", "the route as it was", () =>
      create("'mapped', 'queue', categories => '{map}', mapping => 'app.public_event'"),
    );
    await create("'mapped', 'queue', categories => '{map}'");
    await db.query("select daybook.append_event('map-4', 'T')");
    t.equal(await value(db, "select count(*) from daybook.outbox_log where stream_id = 'map-4'"), 2);
  },
);

t.test("mapping: runs with the rights of the owner and a search_path that no caller has made", async (t) => {
  await db.query(`create function app.who(event daybook.event) returns jsonb language plpgsql stable as $$
    begin
      return jsonb_build_object('user', current_user, 'path', current_setting('search_path'), 'lower', lower('X'));
    end $$`);
  await create("'who', 'queue', types => '{Who}', mapping => 'app.who'");
  const writer = await connect(t, await roleLogin(database, { roles: ["daybook_writer"] }));
  await writer.query("create temp table names (id text)");
  await db.query(
    "create schema hostile; create function hostile.lower(text) returns text language sql as 'select ''hacked'''; grant usage on schema hostile to public",
  );
  await writer.query("set search_path = hostile, pg_temp, pg_catalog");
  await writer.query("select daybook.append_event('who-1', 'Who')");
  await writer.query(`select daybook.append('who-1', '[{"type": "Who"}, {"type": "Who"}]')`);
  const seen = await column(db, "select distinct data from daybook.outbox_log where route = 'who'");
  t.same(seen, [{ user: "postgres", path: "pg_catalog, pg_temp", lower: "x" }]);
});
