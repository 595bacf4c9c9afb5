import t from "tap";
import { testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";
import {
  advance,
  advanceAll,
  append,
  create,
  createFunctions,
  foldedSums,
  readSums,
  status,
  sums,
} from "./projecting.ts";
import { column, connect, failure, refused, rows, value, writesNothing } from "./support.ts";

const database = await testDatabase(t);
const owner = await connect(t, database.url);
const admin = await connect(t, await roleLogin(database, { roles: ["daybook_admin"], tenants: ["*"] }));
const reader = await connect(t, await roleLogin(database, { roles: ["daybook_reader"], tenants: ["*"] }));
await createFunctions(owner);
await append(owner, "a", 30);
const stages = () =>
  column(
    owner,
    "select format('%s %s %s', name, version, stage) from daybook.projection_versions order by name, version",
  );
const schemas = (name: string) =>
  column(owner, "select nspname from pg_namespace where nspname like 'daybook\\_' || $1 || '\\_%' order by 1", [name]);

for (const mode of ["async", "inline"] as const) {
  t.test(`${mode}: a rebuild beside the live one, which readers and appends go on with`, async (t) => {
    await create(admin, "sums", "sums", `, mode => '${mode}'`);
    await advanceAll(owner, "sums");
    await owner.query(`
      create view app.totals as select sum(total) as total from daybook_projections.sums;
      create materialized view app.kept as select * from daybook_projections.sums;
      comment on view daybook_projections.sums is 'kept';
      create role ${database.name}_${mode}; grant select on daybook_projections.sums to ${database.name}_${mode} with grant option`);
    database.logins.push(`${database.name}_${mode}`);
    const facts = () =>
      rows(
        owner,
        "select c.oid, c.relacl::text, obj_description(c.oid) from pg_class c where c.oid = 'daybook_projections.sums'::regclass",
      );
    const before = await facts();
    await owner.query("insert into daybook_sums_1.sums values ('default', 'wrong-1', 1, 1)");

    t.equal(await value(admin, "select daybook.rebuild_projection('sums')"), 2);
    t.match(
      await refused(t, "YD605", "a second one", () => value(admin, "select daybook.rebuild_projection('sums')")),
      {
        projection: "sums",
        version: 2,
      },
    );
    await advance(owner, "sums@2", 10);
    t.match(await status(owner, "sums"), {
      version: 1,
      building_version: 2,
      building_position: 10,
      building_state: "running",
    });
    t.ok(Number((await status(owner, "sums")).building_progress) > 0.1);
    t.match(
      await column(reader, "select stream_id from daybook_projections.sums"),
      /wrong/,
      "readers see the live one",
    );
    await append(owner, "a", 3);
    await advanceAll(owner, "sums");
    t.equal((await advanceAll(owner, "sums@2", 10)).at(-1), "switched");
    t.same(await readSums(reader), await foldedSums(owner));
    t.same(await facts(), before, "the view is the same, with its rights and comment");
    t.equal(
      await value(owner, "select total from app.totals"),
      await value(owner, "select sum(total)::text from daybook_projections.sums"),
      "what rests on it sees the new one",
    );
    t.same(await stages(), ["sums 2 live"]);
    t.same(await schemas("sums"), ["daybook_sums_2"]);
    await refused(t, "YD601", "it is no other one any more", () => advance(owner, "sums@2"));
    await append(owner, "a", 3);
    await advanceAll(owner, "sums");
    t.same(await readSums(reader), await foldedSums(owner));
    await owner.query("drop view app.totals; drop materialized view app.kept; select daybook.drop_projection('sums')");
  });

  t.test(`${mode}: a rebuild that is dropped, or fails, leaves the live one as it is`, async (t) => {
    await create(
      admin,
      "picky",
      "picky",
      `, mode => '${mode}', types => '{Good}', max_attempts => 1, start_from => 'now'`,
    );
    await append(owner, "p", 3, '{"fail": 1}', "Bad");
    await append(owner, "p", 3, "{}", "Good");
    await advanceAll(owner, "picky");
    const live = () => rows(owner, "select * from daybook_projections.picky order by position");
    const before = await live();
    t.equal(before.length, 3);
    t.equal(await value(admin, "select daybook.replace_projection('picky', types => '{Good,Bad}')"), 2);
    t.equal((await advanceAll(owner, "picky@2")).at(-1), "halted");
    t.match(await status(owner, "picky"), {
      building_state: "halted",
      building_reason: /^position \d+ failed once: cannot take it$/,
      needs_person: true,
      building_error: { code: "P0042" },
    });
    t.same(await live(), before);
    t.equal(await value(admin, "select daybook.drop_rebuild('picky')"), true);
    t.equal(await value(admin, "select daybook.drop_rebuild('picky')"), false);
    t.same(await live(), before);
    t.same(await schemas("picky"), ["daybook_picky_1"]);
    await owner.query("select daybook.drop_projection('picky')");
  });
}

t.test("another function, other tables, another mode: the same operation", async (t) => {
  await create(admin, "sums", "sums");
  await advanceAll(owner, "sums");
  await owner.query(`create or replace function app.sums(events daybook.event[]) returns void language plpgsql as $$ begin
    insert into sums as s (tenant_id, stream_id, n, total, types)
    select e.tenant_id, e.stream_id, count(*), 0, count(distinct e.type) from unnest(events) e group by 1, 2 order by 1, 2
    on conflict (tenant_id, stream_id) do update set n = s.n + excluded.n; end $$`);
  await append(owner, "a", 2);
  t.equal((await advanceAll(owner, "sums")).at(-1), "done", "it goes on with the function it was made with");
  await refused(t, "YD603", "the text is another one", () => create(admin, "sums", "sums"));
  await refused(t, "YD602", "the revision is older", () =>
    value(admin, "select daybook.replace_projection('sums', revision => 0)"),
  );
  await value(
    admin,
    "select daybook.replace_projection('sums', tables => jsonb_build_object('sums', $1::text), setup => 'create index on sums (types); comment on column sums.types is ''how many''', mode => 'inline', revision => 3)",
    [sums.replace("primary key", "types bigint, primary key")],
  );
  t.equal((await advanceAll(owner, "sums@2")).at(-1), "switched");
  t.match(await status(owner, "sums"), { version: 2, mode: "inline", state: "inline", revision: 3 });
  t.same(await column(owner, "select distinct types is null from daybook_projections.sums"), [false]);
  t.equal(await value(owner, "select col_description('daybook_projections.sums'::regclass, 5)"), "how many");
  await value(admin, "select daybook.replace_projection('sums', mode => 'async')");
  t.equal((await advanceAll(owner, "sums@3")).at(-1), "switched");
  t.match(await status(owner, "sums"), { version: 3, mode: "async", state: "running" });
  await append(owner, "a", 2);
  t.match(await advance(owner, "sums"), { handled: 2 });
});

t.test(
  "columns that change: refused where something rests on the view, before anything changes; else made anew",
  async (t) => {
    const change = () =>
      value(admin, "select daybook.replace_projection('sums', tables => $1)", [
        JSON.stringify({
          sums: "tenant_id text, stream_id text, n text, types bigint, total bigint, primary key (tenant_id, stream_id)",
        }),
      ]);
    await owner.query(`create view app.totals as select n from daybook_projections.sums;
    comment on column daybook_projections.sums.n is 'events'; grant select (n) on daybook_projections.sums to public`);
    await writesNothing(t, owner, "refused", async () => {
      t.same(await refused(t, "YD604", "a view rests on it", change), {
        projection: "sums",
        dependants: ["view app.totals"],
      });
    });
    t.match(await failure(change), { message: /view app\.totals rests on columns that change or go$/ });
    t.same(await schemas("sums"), ["daybook_sums_3"]);
    await owner.query("drop view app.totals");
    await owner.query(`create or replace function app.sums(events daybook.event[]) returns void language plpgsql as $$ begin
    insert into sums as s (tenant_id, stream_id, n)
    select e.tenant_id, e.stream_id, count(*) from unnest(events) e group by 1, 2 order by 1, 2
    on conflict (tenant_id, stream_id) do update set n = (s.n::int + excluded.n::int)::text; end $$`);
    await change();
    t.equal((await advanceAll(owner, "sums@4")).at(-1), "switched");
    t.equal(await value(owner, "select pg_typeof(n)::text from daybook_projections.sums limit 1"), "text");
    t.equal(await value(owner, "select col_description('daybook_projections.sums'::regclass, 3)"), "events");
    t.ok(await value(owner, "select has_column_privilege('public', 'daybook_projections.sums', 'n', 'select')"));
    t.ok(await value(owner, "select has_table_privilege('daybook_reader', 'daybook_projections.sums', 'select')"));
  },
);

t.test("a table fewer, a table more", async (t) => {
  await owner.query(`create function app.two(events daybook.event[]) returns void language plpgsql as $$ begin
    insert into one select count(*) from unnest(events); end $$`);
  await value(owner, `select daybook.create_projection('two', 'app.two', '{"one": "n bigint", "gone": "n bigint"}')`);
  await value(owner, `select daybook.replace_projection('two', tables => '{"one": "n bigint", "more": "n bigint"}')`);
  await advanceAll(owner, "two@2");
  t.same(
    await column(
      owner,
      "select relname from pg_class where relnamespace = 'daybook_projections'::regnamespace and relkind = 'v' order by 1",
    ),
    ["more", "one", "sums"],
  );
});
