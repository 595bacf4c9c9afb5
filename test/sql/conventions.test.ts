import { readdir, readFile } from "node:fs/promises";
import t from "tap";
import { testDatabase } from "../support/database.ts";
import { column, connect, rows } from "./support.ts";

const database = await testDatabase(t);
const db = await connect(t, database.url);
await db.query("select daybook.ensure_partitions(5)");
const sqlFolder = new URL("../../sql/", import.meta.url);
const namesIn = async (folder: string) =>
  (await readdir(new URL(folder, sqlFolder))).map((f) => f.replace(/\.sql$/, "")).toSorted();

t.test("one function a file, the file named after it, and the folder is all there is", async (t) => {
  // constants that configure, ensure_partitions, create_route and create_projection make anew: state, so they are in migrations/
  const state = [
    "_max_event_bytes",
    "_max_events",
    "_writable_from",
    "_writable_until",
    "_routed",
    "_routes",
    "_mapping",
    "_watched",
    "_on_append",
    "_on_append_one",
  ];
  const installed = (await column(db, "select proname from pg_proc where pronamespace = 'daybook'::regnamespace")).map(
    String,
  );
  t.same(installed.toSorted(), [...(await namesIn("functions/")), ...state].toSorted());
  t.same(
    (
      await column(
        db,
        "select relname from pg_class where relnamespace = 'daybook'::regnamespace and relkind in ('v', 'm')",
      )
    )
      .map(String)
      .toSorted(),
    await namesIn("views/"),
  );
  t.same(
    (
      await column(
        db,
        "select distinct g.tgname from pg_trigger g join pg_class c on c.oid = g.tgrelid where c.relnamespace = 'daybook'::regnamespace and not g.tgisinternal",
      )
    )
      .map(String)
      .toSorted(),
    await namesIn("triggers/"),
  );
  for (const [folder, kind] of [
    ["functions/", "function"],
    ["views/", "view"],
  ] as const) {
    for (const name of await namesIn(folder)) {
      const text = await readFile(new URL(`${folder}${name}.sql`, sqlFolder), "utf8");
      const made = [...text.matchAll(/create or replace (function|view) (daybook\.\w+)/g)].map(
        (m) => `${m[1]} ${m[2]}`,
      );
      t.same([...new Set(made)], [`${kind} daybook.${name}`], `${folder}${name}.sql`);
      t.match(text, new RegExp(`comment on ${kind} daybook.${name}\\b`), `${folder}${name}.sql has its comment`);
    }
  }
});

t.test("volatility is stated", async (t) => {
  for (const name of await namesIn("functions/")) {
    const text = await readFile(new URL(`functions/${name}.sql`, sqlFolder), "utf8");
    const headers = [...text.matchAll(/create or replace function[\s\S]*?(?=\bas \$\$|\breturn\b(?!s))/g)].map(
      (m) => m[0],
    );
    t.ok(headers.length > 0 && headers.every((h) => /\b(immutable|stable|volatile)\b/.test(h)), name);
  }
});

t.test("whoever runs with the rights of the owner pins its search_path", async (t) => {
  t.same(
    await column(
      db,
      `select oid::regprocedure::text from pg_proc
        where pronamespace = 'daybook'::regnamespace and prosecdef and not coalesce('search_path=pg_catalog, pg_temp' = any (proconfig), false)`,
    ),
    [],
  );
});

t.test("bodies name everything of Daybook's with its schema", async (t) => {
  const functions = (
    await column(db, "select distinct proname from pg_proc where pronamespace = 'daybook'::regnamespace")
  ).map(String);
  const relations = (
    await column(
      db,
      "select relname from pg_class where relnamespace = 'daybook'::regnamespace and relkind in ('r', 'p', 'v', 'S', 'c')",
    )
  ).map(String);
  const types = (
    await column(db, "select typname from pg_type where typnamespace = 'daybook'::regnamespace and typtype = 'c'")
  ).map(String);
  const bodies = await rows(
    db,
    "select proname, prosrc from pg_proc where pronamespace = 'daybook'::regnamespace and prosrc <> ''",
  );
  const found: string[] = [];
  for (const { proname, prosrc } of bodies) {
    // neither comments nor texts, in which a name is a word
    const body = String(prosrc)
      .replaceAll(/--.*$/gm, "")
      .replaceAll(/'(?:[^']|'')*'/g, "''");
    const unqualified = (name: string, before: string, after: string) =>
      new RegExp(`${before}(?<![\\w.$"])"?${name}"?${after}`, "i");
    for (const name of functions)
      if (unqualified(name, "", "\\s*\\(").test(body) && !isColumnList(body, name)) found.push(`${proname}: ${name}()`);
    for (const name of relations)
      if (
        unqualified(name, "\\b(from|join|into|update|only|table)\\s+", "\\b(?!\\.)").test(body) &&
        !isQuery(body, name)
      )
        found.push(`${proname}: ${name}`);
    for (const name of types)
      if (unqualified(name, "(::|\\breturns?\\s+|\\bsetof\\s+|\\b_\\w+\\s+)", "\\b(?!\\.)").test(body))
        found.push(`${proname}: type ${name}`);
  }
  t.same(found, []);
});

/** A common table expression may have a function's name: `trace (a, b) as`. */
function isColumnList(body: string, name: string): boolean {
  return new RegExp(`\\b${name}\\s*\\([\\w\\s,]*\\)\\s+as\\b`, "i").test(body);
}

/** Or a table's: `events as materialized (`. */
function isQuery(body: string, name: string): boolean {
  return new RegExp(`\\b${name}\\s+(\\([\\w\\s,]*\\)\\s+)?as\\s+((not\\s+)?materialized\\s+)?\\(`, "i").test(body);
}

t.test("no constraint crosses tenants, and row security is forced wherever there is a tenant", async (t) => {
  const tenantTables = `
    select c.oid from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
     where c.relnamespace = 'daybook'::regnamespace and c.relkind in ('r', 'p')`;
  t.same(
    await column(
      db,
      `select i.indexrelid::regclass::text from pg_index i
        where i.indrelid in (${tenantTables}) and i.indisunique
          -- handlers and routes are the store's, whatever tenant they follow: their names are unique in it
          and i.indrelid <> 'daybook.consumers'::regclass
          and not exists (select from pg_attribute a where a.attrelid = i.indrelid and a.attname = 'tenant_id' and a.attnum = any (i.indkey))`,
    ),
    [],
    "unique indexes and primary keys hold tenant_id",
  );
  t.same(
    await column(
      db,
      `select relname from pg_class
        where oid in (${tenantTables}) and not relispartition and not (relrowsecurity and relforcerowsecurity)`,
    ),
    // whom it concerns is an administrator's business; nobody else reads it
    ["tenant_grants"],
  );
  t.same(
    await column(
      db,
      `select c.relname from pg_class c where c.relnamespace = 'daybook'::regnamespace and c.relkind = 'v' and not coalesce('security_invoker=true' = any (c.reloptions), false)`,
    ),
    [],
    "views have the rights of whoever asks",
  );
  t.same(
    await column(
      db,
      "select conname from pg_constraint where connamespace = 'daybook'::regnamespace and contype = 'f'",
    ),
    [],
    "no foreign keys",
  );
});

t.test("functions take tenant_id last", async (t) => {
  t.same(
    await column(
      db,
      `select proname from pg_proc where pronamespace = 'daybook'::regnamespace and proname !~ '^_' and 'tenant_id' = any (proargnames[:pronargs]) and proargnames[pronargs] <> 'tenant_id'`,
    ),
    [],
  );
});

t.test("what readers rest on", async (t) => {
  t.same(
    await rows(
      db,
      "select cache_size, increment_by, cycle from pg_sequences where schemaname = 'daybook' and sequencename = 'positions'",
    ),
    [{ cache_size: 1, increment_by: 1, cycle: false }],
  );
  t.same(
    await column(
      db,
      "select c.oid::regclass::text from pg_class c where c.relnamespace = 'daybook'::regnamespace and pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT'",
    ),
    [],
    "no default partition",
  );
  t.same(
    await column(
      db,
      "select c.oid::regclass::text from pg_class c where c.relnamespace = 'daybook'::regnamespace and c.relpersistence <> 'p'",
    ),
    [],
    "nothing unlogged",
  );
});
