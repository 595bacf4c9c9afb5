import t from "tap";
import { testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";
import { advance } from "./projecting.ts";
import { connect, failure, row, value } from "./support.ts";

/*
 * Apply functions, and what else a definition has in it, run with the rights of daybook_projector, whoever calls. That
 * role owns the tables of projections, and must come by no other rights: the functions by which Daybook steps down to it
 * are not to be changed by it either.
 */

const database = await testDatabase(t);
const owner = await connect(t, database.url);
const admin = await connect(t, await roleLogin(database, { roles: ["daybook_admin"], tenants: ["*"] }));
await owner.query(`
  create schema app;
  create function app.runs(event daybook.event) returns void language plpgsql as $$ begin
    execute event.data ->> 'sql';
    insert into runs values (current_user, current_schemas(false)::text);
  end $$`);
const make = (options: string) =>
  value(
    admin,
    `select daybook.create_projection('runs', 'app.runs', '{"runs": "who text, path text"}', max_attempts => 1, start_from => 'now'${options})`,
  );
const append = (sql: string) =>
  owner.query("select daybook.append_event('run-1', 'Run', jsonb_build_object('sql', $1::text))", [sql]);

const FORBIDDEN = [
  "select count(*) from daybook.event_log",
  "select count(*) from daybook.events",
  "select daybook.append_event('x-1', 'T')",
  "select daybook.horizon()",
  "update daybook.cursors set position = 0",
  "select daybook._as_projector('select 1')",
  "alter function daybook._as_projector(text, text) security definer",
  "alter function daybook_doors.run(text, text) security invoker",
  "alter function daybook_doors.daybook_runs_1(daybook.event[]) security invoker",
  "create or replace function daybook_doors.daybook_runs_1(events daybook.event[]) returns boolean language sql as 'select true'",
  "select daybook_doors.run('select 1', null)",
  "create function daybook.mine() returns int language sql as 'select 1'",
  "alter function daybook._on_append(daybook.event[]) security definer",
  "set role daybook_admin",
  "reset session authorization; set role none",
  "create table public.mine (n int)",
  "create schema mine",
  "create role mine",
] as const;

t.test("an apply function that follows the log", async (t) => {
  await make("");
  await append("select 1");
  t.match(await advance(admin, "runs"), { handled: 1, outcome: "done" });
  t.same(await row(owner, "select * from daybook_projections.runs"), {
    who: "daybook_projector",
    path: "{daybook_runs_1}",
  });
  for (const sql of FORBIDDEN) {
    await append(sql);
    t.match(await advance(admin, "runs"), { handled: 0, outcome: "halted" }, sql);
    const { last_error: error } = await row(owner, "select last_error from daybook.projections");
    t.match(error, { code: "YD608" }, sql);
    await owner.query(
      "update daybook.cursors set position = (select last_value from daybook.positions), failed_position = null; select daybook.resume_projection('runs')",
    );
  }
  await owner.query("select daybook.drop_projection('runs')");
});

t.test("an inline one, inside the append", async (t) => {
  await make(", mode => 'inline'");
  await append("select 1");
  t.same(await row(owner, "select * from daybook_projections.runs"), {
    who: "daybook_projector",
    path: "{daybook_runs_1}",
  });
  for (const sql of FORBIDDEN) {
    const { code, detail } = await failure(() => append(sql));
    t.same([code, JSON.parse(detail ?? "{}").cause?.code], ["YD607", "YD608"], sql);
  }
  await owner.query("select daybook.drop_projection('runs')");
});

t.test("tables and setup of a definition", async (t) => {
  for (const sql of FORBIDDEN) {
    const error = await failure(() => make(`, setup => '${sql.replaceAll("'", "''")}'`));
    t.equal(error.code, "YD602", sql);
    t.match(error.message, /setup: (permission denied|must be owner|cannot set parameter)/, sql);
  }
  t.match(
    await failure(() =>
      value(
        admin,
        `select daybook.create_projection('runs', 'app.runs', '{"runs": "n int); create table public.mine (n int"}')`,
      ),
    ),
    { code: "YD602", message: /permission denied for schema public/ },
  );
});
