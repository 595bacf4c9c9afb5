import t, { type Test } from "tap";
import { checkMigrations, migrate } from "../../src/index.ts";
import { testDatabase } from "../support/database.ts";
import { migrationFiles } from "./migration-files.ts";
import { packageCopy } from "./package-copy.ts";

/** Name of the migration that a newer version adds. */
const more = `${migrationFiles.length + 1}_more.sql`;

/** A database with what a copy of this package installs, and another copy of it, to be changed. */
async function installed(t: Test) {
  const { dir: old } = await packageCopy(t);
  const { url, pool } = await testDatabase(t, { template: false });
  await migrate(url, { dir: old });
  return { url, pool, old, ...(await packageCopy(t, old)) };
}

t.test("installs the objects that changed, and the triggers and grants with them", async (t) => {
  const { url, pool, old, dir, edit } = await installed(t);
  await edit("sql/functions/stream_version.sql", (text) =>
    text.replace("'Version of a stream", "'The version of a stream"),
  );
  t.match(await checkMigrations(url, { dir }), { upToDate: false, changedObjects: ["functions/stream_version.sql"] });

  const report = await migrate(url, { dir });
  t.same(report.objects, ["functions/stream_version.sql", "triggers/append_only.sql", "grants.sql"]);
  const { rows } = await pool.query(
    "select obj_description('daybook.stream_version'::regproc) as said, has_function_privilege('public', 'daybook.stream_version(text, text)', 'execute') as open",
  );
  t.match(rows, [{ said: /^The version/, open: false }]);
  t.equal((await migrate(url, { dir })).upToDate, true);
  t.same((await migrate(url, { dir: old })).objects, report.objects, "same version, other files: they are replaced");
});

t.test("a view with other columns is dropped, alone, and made again with its grants", async (t) => {
  const { url, pool, old, dir, edit } = await installed(t);
  await edit("sql/views/streams.sql", (text) => text.replace("h.tenant_id, h.stream_id,", "h.stream_id, h.tenant_id,"));

  await pool.query("create view public.mine as select stream_id from daybook.streams");
  await t.rejects(migrate(url, { dir }), {
    name: "MigrationError",
    message: /sql\/views\/streams\.sql/,
    detail: { file: "sql/views/streams.sql" },
    cause: { code: "2BP01" },
  });
  t.match(await checkMigrations(url, { dir: old }), { upToDate: true }, "all of it was rolled back");

  await pool.query("drop view public.mine");
  await migrate(url, { dir });
  const { rows } = await pool.query(`
    select array_agg(attname order by attnum)::text as columns, has_table_privilege('daybook_reader', 'daybook.streams', 'select') as granted
      from pg_attribute where attrelid = 'daybook.streams'::regclass and attnum <= 2`);
  t.same(rows, [{ columns: "{stream_id,tenant_id}", granted: true }]);
});

t.test("applies a new migration; one that fails names itself and leaves nothing", async (t) => {
  const { url, pool, dir, write, setVersion } = await installed(t);
  await setVersion("0.9.0");
  await write(`migrations/${more}`, "create table daybook.more (a int);\ncreate table daybook.more (a int);\n");
  await t.rejects(migrate(url, { dir }), {
    name: "MigrationError",
    message: `${more}: relation "more" already exists`,
    detail: { file: more },
    cause: { code: "42P07" },
  });
  const { rows } = await pool.query("select to_regclass('daybook.more') as more, version from daybook.installation");
  t.match(rows, [{ more: null }]);
  t.not(rows[0].version, "0.9.0");

  await write(`migrations/${more}`, "create table daybook.more (a int);\n");
  t.same((await migrate(url, { dir })).migrations, [more]);
  const { rows: now } = await pool.query("select version, installed_by from daybook.installation");
  t.match(now, [{ version: "0.9.0", installed_by: /\w/ }]);
});

t.test("an applied migration that was edited is refused", async (t) => {
  const { url, dir, edit } = await installed(t);
  await edit("migrations/1_store.sql", (text) => `${text}\n`);
  const refused = { name: "MigrationError", detail: { files: ["1_store.sql"] }, hint: /new file/ };
  await t.rejects(migrate(url, { dir }), refused);
  await t.rejects(checkMigrations(url, { dir }), refused);
});

t.test("never backwards: an older version changes nothing", async (t) => {
  const { url, pool, old, ...newer } = await installed(t);
  await newer.setVersion("99.0.0");
  await newer.edit("sql/functions/stream_version.sql", (text) =>
    text.replace("'Version of a stream", "'New: version of a stream"),
  );
  await migrate(url, { dir: newer.dir });

  await t.rejects(migrate(url, { dir: old }), {
    name: "DatabaseIsNewerError",
    code: "YD901",
    detail: { installed: "99.0.0" },
    hint: /newer version/,
  });
  t.match(await checkMigrations(url, { dir: old }), { upToDate: false, newer: true, installedVersion: "99.0.0" });
  const { rows } = await pool.query(
    "select obj_description('daybook.stream_version'::regproc) as said, (select version from daybook.installation)",
  );
  t.match(rows, [{ said: /^New:/, version: "99.0.0" }]);

  const same = await packageCopy(t, old);
  await same.setVersion("99.0.0");
  await newer.write(`migrations/${more}`, "select;\n");
  await migrate(url, { dir: newer.dir });
  await t.rejects(
    migrate(url, { dir: same.dir }),
    { code: "YD901" },
    "nor does the same version with fewer migrations",
  );
});

t.test("a file that is gone is forgotten", async (t) => {
  const { url, pool, old, dir, write } = await installed(t);
  await write(
    "sql/functions/extra.sql",
    "create or replace function daybook.extra() returns int language sql as 'select 1';",
  );
  t.match((await migrate(url, { dir })).objects, ["functions/extra.sql"]);
  t.equal((await migrate(url, { dir: old })).upToDate, false);
  const { rows } = await pool.query("select from daybook.installed_objects where name = 'functions/extra.sql'");
  t.same(rows, []);
  t.equal((await migrate(url, { dir: old })).upToDate, true);
});
