import t from "tap";
import { testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";
import { createFunctions } from "./projecting.ts";
import { connect, refused, value, writesNothing } from "./support.ts";

/** Definitions that cannot be: told in words, with every problem in DETAIL, and nothing is written. */

const database = await testDatabase(t);
const owner = await connect(t, database.url);
const admin = await connect(t, await roleLogin(database, { roles: ["daybook_admin"], tenants: ["*"] }));
await createFunctions(owner);

t.test("what cannot be is refused, in words, before anything changes", async (t) => {
  await owner.query(`
    create function app.returns(event daybook.event) returns int language plpgsql as 'begin end';
    create function app.definer(event daybook.event) returns void language plpgsql security definer as 'begin end';
    create function app.pathed(event daybook.event) returns void language plpgsql set search_path = app as 'begin end';
    create table public.bound (n int);
    create function app.bound(event daybook.event) returns void language sql begin atomic insert into public.bound values (1); end;
    create function app.wrong(e text) returns void language plpgsql as 'begin end';
    set check_function_bodies = off;
    create function app.missing(event daybook.event) returns void language sql as 'insert into nowhere values (1)';
    set check_function_bodies = on;
    create schema closed`);
  const make = (options: string) => () => value(admin, `select daybook.create_projection('x', ${options})`);
  const table = `tables => '{"x": "n int"}'`;
  for (const [options, problem] of [
    [`'app.none', ${table}`, /there is no function app\.none/],
    [`'app.wrong', ${table}`, /there is no function app\.wrong/],
    [`'picky', ${table}`, /not named schema\.function/],
    [`'app.returns', ${table}`, /does not return void/],
    [`'app.definer', ${table}`, /security definer/],
    [`'app.pathed', ${table}`, /sets search_path/],
    [`'app.bound', ${table}`, /bound to the tables/],
    [`'app.missing', ${table}`, /relation "nowhere" does not exist/],
    ["'app.picky'", /tables are an object/],
    [`'app.picky', '{"x": 1}'`, /tables are an object/],
    [`'app.picky', '{"x": "no type at all("}'`, /table x: syntax error/],
    [`'app.picky', ${table}, setup => 'create index on y (n)'`, /setup: relation "y"/],
    [`'app.picky', ${table}, setup => 'create table public.mine (n int)'`, /setup: permission denied/],
    [`'app.picky', ${table}, mode => 'other'`, /mode is inline or async/],
    [`null, ${table}, mode => 'inline'`, /TypeScript cannot run inline/],
    [`'app.picky', ${table}, on_failure => 'x'`, /on_failure/],
    [`'app.picky', ${table}, schema => 'closed'`, /daybook_projector may not make views in schema closed/],
    [`'app.picky', ${table}, schema => 'nowhere'`, /daybook_projector may not make views in schema nowhere/],
  ] as const)
    await writesNothing(t, owner, options, async () => {
      const { problems } = await refused(t, "YD602", options, make(options));
      t.match(String(problems), problem);
    });
  for (const name of ["", "X", "1x", "a".repeat(41), "x y"])
    await refused(t, "YD602", name, () =>
      value(admin, `select daybook.create_projection($1, 'app.picky', '{"x": "n int"}')`, [name]),
    );
  await value(admin, `select daybook.create_projection('x', 'app.picky', '{"x": "n int"}')`);
  await writesNothing(t, owner, "a wrong signature", () =>
    refused(t, "YD602", "replacing", () => value(admin, "select daybook.replace_projection('x', 'app.wrong')")),
  );
  t.match(
    await refused(t, "YD602", "the name of a view", () =>
      value(admin, `select daybook.create_projection('y', 'app.picky', '{"x": "n int"}')`),
    ),
    {
      problems: [/daybook_projections\.x is there already/],
    },
  );
  await owner.query("select daybook.drop_projection('x')");
});
