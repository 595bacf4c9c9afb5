import type pg from "pg";
import t from "tap";
import { testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";
import { calls, everybodys, functions, type Role, relations, roles } from "./privileges.ts";
import { column, connect, failure, inTransaction, type Row, refused, rows, writesNothing } from "./support.ts";

const database = await testDatabase(t);
const owner = await connect(t, database.url);
await owner.query("select daybook.create_route('bound-queue', 'postgres', tenant_id => 'secret-tenant')");
await owner.query("select daybook.create_route('bound-direct', 'queue', direct => true, tenant_id => 'secret-tenant')");
await owner.query(
  `select daybook.create_projection('bound', tables => '{"bound": "n int"}', tenant_id => 'secret-tenant')`,
);
await owner.query(`
  create function public.folded(state jsonb, event daybook.event) returns jsonb language sql immutable as 'select state || event.data';
  select daybook.create_reducer('folded', 'public.folded', snapshot_every => 1)`);
for (const [tenant, word] of [
  ["one", "open"],
  ["secret-tenant", "secret"],
]) {
  await owner.query(
    `select daybook.append_event($2 || '-1', $2, jsonb_build_object($2::text, $2::text), jsonb_build_object($2::text, $2::text),
       event_id => case $2 when 'secret' then '0198f0a0-0000-7000-8000-00000000000e'::uuid end,
       correlation_id => '0198f0a0-0000-7000-8000-00000000000c', idempotency_key => $2 || ' key', tags => array[$2], tenant_id => $1)`,
    [tenant, word],
  );
}
await owner.query("select daybook.take_snapshots('folded')");
const partitions = (await column(owner, "select partition from daybook.partitions")).map(String);

/** The rights each role has by the tables of privileges.ts: "role name" for all that is allowed. */
function allowed(expected: Record<Role | "nobody", readonly string[]>): string[] {
  return roles
    .flatMap((least, i) => roles.slice(i).flatMap((role) => expected[least].map((name) => `${role} ${name}`)))
    .toSorted();
}

t.test("every function has its line in privileges.ts, once", async (t) => {
  const known = [...Object.values(functions).flat(), ...everybodys];
  t.same(
    known.toSorted(),
    (await column(owner, "select proname from pg_proc where pronamespace = 'daybook'::regnamespace"))
      .map(String)
      .toSorted(),
  );
});

t.test("every table, view and sequence has its line in privileges.ts, once; partitions are nobody's", async (t) => {
  const all = (
    await column(
      owner,
      "select relname from pg_class where relnamespace = 'daybook'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f', 'S')",
    )
  ).map(String);
  t.same([...Object.values(relations).flat(), ...partitions].toSorted(), all.toSorted());
});

t.test("who may execute what", async (t) => {
  t.same(
    await column(
      owner,
      `select r.role || ' ' || p.proname from pg_proc p, unnest($1::text[]) r(role)
        where p.pronamespace = 'daybook'::regnamespace and has_function_privilege(r.role, p.oid, 'execute')`,
      [[...roles, "public"]],
    ).then((all) => all.map(String).toSorted()),
    [
      ...allowed(functions),
      ...[...roles, "public"].flatMap((role) => everybodys.map((name) => `${role} ${name}`)),
    ].toSorted(),
  );
});

t.test("what runs as daybook_projector may say that it failed, and nothing else", async (t) => {
  t.same(
    await column(
      owner,
      `select p.proname from pg_proc p
        where p.pronamespace = 'daybook'::regnamespace and has_function_privilege('daybook_projector', p.oid, 'execute') order by 1`,
    ),
    ["_own_tables_only", "_refuse_append", "sees_version"],
  );
});

t.test("who may do what with tables, views and sequences: read some, and nothing else", async (t) => {
  const granted = await rows(
    owner,
    `select r.role || ' ' || c.relname as what, p.privilege
       from pg_class c, unnest($1::text[]) r(role),
            unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger', 'usage']) p(privilege)
      where c.relnamespace = 'daybook'::regnamespace
        and case
              when c.relkind = 'S' then p.privilege in ('select', 'update', 'usage') and has_sequence_privilege(r.role, c.oid, p.privilege)
              when c.relkind not in ('r', 'p', 'v', 'm', 'f') or p.privilege = 'usage' then false
              when p.privilege in ('select', 'insert', 'update', 'references') then has_any_column_privilege(r.role, c.oid, p.privilege)
              else has_table_privilege(r.role, c.oid, p.privilege)
            end`,
    [[...roles, "public"]],
  );
  t.same(
    granted.filter((g) => g.privilege !== "select"),
    [],
  );
  t.same(granted.map((g) => String(g.what)).toSorted(), allowed(relations));
});

t.test("the roles themselves: each a member of the one before, none can log in or do more", async (t) => {
  t.same(
    await rows(
      owner,
      `select r.rolname as role, array(select m.roleid::regrole::text from pg_auth_members m where m.member = r.oid) as member_of,
              r.rolsuper or r.rolcreaterole or r.rolcreatedb or r.rolcanlogin or r.rolreplication or r.rolbypassrls as more,
              has_schema_privilege(r.oid, 'daybook', 'usage') as usage, has_schema_privilege(r.oid, 'daybook', 'create') as create
         from pg_roles r where r.rolname = any ($1) order by array_position($1, r.rolname::text)`,
      [[...roles]],
    ),
    roles.map((role, i) => ({
      role,
      member_of: i === 0 ? [] : [roles[i - 1]],
      more: false,
      usage: true,
      create: false,
    })),
  );
  t.same(
    await rows(
      owner,
      "select has_schema_privilege('public', 'daybook', 'usage') as usage, has_schema_privilege('public', 'daybook', 'create') as create",
    ),
    [{ usage: false, create: false }],
  );
});

t.test(
  "every function that takes a tenant, or that a reader or writer may call, has its case in privileges.ts",
  async (t) => {
    const taking = await column(
      owner,
      "select proname from pg_proc where pronamespace = 'daybook'::regnamespace and 'tenant_id' = any (proargnames[:pronargs]) and proname <> all ($1)",
      [functions.nobody],
    );
    const needed = new Set([...taking.map(String), ...functions.daybook_reader, ...functions.daybook_writer]);
    t.same(Object.keys(calls).toSorted(), [...needed].toSorted());
  },
);

/** Calls all for another tenant, in the session as it is. */
async function tryAll(t: Parameters<typeof refused>[0], client: pg.Client, role: Role, code: string): Promise<void> {
  const mine = new Set(allowed(functions));
  for (const [name, test] of Object.entries(calls)) {
    if (test === "administers tenants" || !mine.has(`${role} ${name}`)) continue;
    const query = `select * from daybook.${test.call}`;
    const call = () => rows(client, query, query.includes("$1") ? ["secret-tenant"] : []);
    await client.query("savepoint s");
    if (test.outcome === "refused")
      t.match(await refused(t, code, `${role}: ${name}`, call), { tenant_id: "secret-tenant" });
    else t.notMatch(JSON.stringify(await call()), /secret/, `${role}: ${name} shows nothing of it`);
    await client.query("rollback to savepoint s");
  }
}

/** All that a role may read, as text. */
async function readAll(client: pg.Client, role: Role): Promise<[string, string][]> {
  const found: [string, string][] = [];
  for (const line of allowed(relations)) {
    const [who, relation] = line.split(" ");
    if (who === role && relation !== undefined)
      found.push([relation, JSON.stringify(await rows(client, `select * from daybook.${relation}`))]);
  }
  return found;
}

for (const role of ["daybook_reader", "daybook_writer"] as const) {
  t.test(`${role}, granted one tenant: nothing of another, through whatever it may call or read`, async (t) => {
    const client = await connect(t, await roleLogin(database, { roles: [role], tenants: ["one"] }));
    await writesNothing(t, owner, "all", () => inTransaction(client, () => tryAll(t, client, role, "YD201")));
    for (const [relation, text] of await readAll(client, role)) t.notMatch(text, /secret/, relation);
    t.match(JSON.stringify(await readAll(client, role)), /open/, "its own it sees");
  });
}

for (const role of roles) {
  t.test(`${role}, granted every tenant and narrowed to one: nothing of another`, async (t) => {
    const client = await connect(t, await roleLogin(database, { roles: [role], tenants: ["*"] }));
    t.match(JSON.stringify(await readAll(client, role)), /secret/, "not narrowed, it sees both");
    await writesNothing(t, owner, "all", () =>
      inTransaction(client, async () => {
        await client.query("set local daybook.tenant = 'one'");
        await tryAll(t, client, role, "YD202");
        for (const [relation, text] of await readAll(client, role)) {
          // who has which tenants, and what was done by hand, is an administrator's business, whatever the transaction is about
          if (!["tenant_grants", "audit", "audit_log"].includes(relation)) t.notMatch(text, /secret/, relation);
        }
      }),
    );
  });
}

t.test("what a role may not, it cannot: a call of every function", async (t) => {
  const all = await rows(
    owner,
    `select p.proname, array(select format('null::%s', format_type(a, null)) from unnest(p.proargtypes) a) as args
       from pg_proc p where p.pronamespace = 'daybook'::regnamespace and p.prorettype <> 'trigger'::regtype`,
  );
  const may = new Set(allowed(functions));
  for (const role of [...roles, "nobody"] as const) {
    const client = await connect(
      t,
      await roleLogin(database, { roles: role === "nobody" ? [] : [role], tenants: ["one"] }),
    );
    const wrong: Row[] = [];
    for (const { proname, args } of all) {
      if (may.has(`${role} ${proname}`) || everybodys.some((name) => name === proname)) continue;
      const { code } = await failure(() => client.query(`select daybook.${proname}(${(args as string[]).join(", ")})`));
      if (code !== "42501") wrong.push({ proname, code });
    }
    t.same(wrong, [], role);
  }
});
