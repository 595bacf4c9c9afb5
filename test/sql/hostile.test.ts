import t from "tap";
import { testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";
import { column, connect, type Row, rows, value } from "./support.ts";

// A role with all of Daybook's rights and a schema of its own full of traps, first on its search_path: what runs with
// the rights of the owner must not step into one.
const database = await testDatabase(t);
const owner = await connect(t, database.url);
const client = await connect(t, await roleLogin(database, { roles: ["daybook_admin"] }));
const me = String(client.user);
await owner.query(`create schema evil authorization "${me}"`);
const caught: string[] = [];
client.on("notice", (notice) => caught.push(String(notice.message)));

/** The types that Daybook's own expressions are of. */
const types = [
  "text",
  "bigint",
  "integer",
  "boolean",
  "jsonb",
  "uuid",
  "timestamptz",
  "name",
  "oid",
  "text[]",
  "interval",
  "regclass",
  "bytea",
  "xid8",
];

/** Builtin functions whose names occur in Daybook's bodies, and operators between those types: each gets its double. */
async function setTraps(): Promise<number> {
  const bodies = (await column(owner, "select prosrc from pg_proc where pronamespace = 'daybook'::regnamespace")).join(
    "\n",
  );
  const called = [...new Set([...bodies.matchAll(/\b([a-z_0-9]+)\s*\(/g)].map((m) => m[1]))];
  const functions = await rows(
    owner,
    `select distinct p.proname as name, pg_get_function_identity_arguments(p.oid) as args, pg_get_function_result(p.oid) as result
       from pg_proc p
      where p.pronamespace = 'pg_catalog'::regnamespace and p.proname = any ($1) and p.prokind = 'f' and p.provariadic = 0
        and not 'internal'::regtype = any (p.proargtypes) and p.prorettype not in ('internal'::regtype, 'trigger'::regtype)
        and not exists (select from unnest(p.proargtypes) a join pg_type y on y.oid = a where y.typtype = 'p')
        and p.prorettype not in (select oid from pg_type where typtype = 'p')`,
    [called],
  );
  for (const { name, args, result } of functions) {
    await client.query(
      `create function evil."${name}"(${args}) returns ${result} language plpgsql as $$ begin raise notice 'trapped ${name} as %', current_user; return${String(result).startsWith("SETOF") || String(result).startsWith("TABLE") ? "" : " null"}; end $$`,
    );
  }
  const operators = await rows(
    owner,
    `select o.oprname as name, o.oprleft::regtype::text as left, o.oprright::regtype::text as right, o.oprresult::regtype::text as result
       from pg_operator o
      where o.oprnamespace = 'pg_catalog'::regnamespace and o.oprleft = any ($1::regtype[]) and o.oprright = any ($1::regtype[])`,
    [types],
  );
  for (const [i, { name, left, right, result }] of operators.entries()) {
    await client.query(`
      create function evil.op${i}(${left}, ${right}) returns ${result} language plpgsql as $$ begin raise notice 'trapped ${String(name).replaceAll("%", "%%")} as %', current_user; return null; end $$;
      create operator evil.${name} (leftarg = ${left}, rightarg = ${right}, function = evil.op${i})`);
  }
  return functions.length + operators.length;
}

/** Doubles of relations and types as temporary objects, which PostgreSQL looks for first unless told otherwise. */
async function setTemporaryTraps(): Promise<void> {
  const relations = await column(
    owner,
    `select distinct relname from pg_class
      where (relnamespace = 'daybook'::regnamespace and relkind in ('r', 'p', 'v'))
         or (relnamespace = 'pg_catalog'::regnamespace and relname in ('pg_locks', 'pg_roles', 'pg_database', 'pg_class', 'pg_proc', 'pg_stat_activity'))`,
  );
  for (const relation of relations) {
    await client.query(`create table evil."${relation}" (trap text); create temp table "${relation}" (trap text)`);
  }
  for (const type of ["event", "append_result", "batch_result", "message", "route_rule"])
    await client.query(`create type evil.${type} as (trap text)`);
  for (const type of ["text", "jsonb", "regclass", "regrole", "timestamptz", "uuid", "name"]) {
    await client.query(
      `create domain pg_temp.${type} as pg_catalog.int4; create domain evil.${type} as pg_catalog.int4`,
    );
  }
}

const trapped = () => caught.filter((message) => !message.endsWith(` as ${me}`));

t.test("the traps are set, and whoever runs unprotected steps into them", async (t) => {
  t.ok((await setTraps()) > 200);
  await setTemporaryTraps();
  await client.query("set search_path = evil, pg_temp, pg_catalog");
  await client.query("select length('x'::pg_catalog.text)");
  t.ok(caught.includes(`trapped length as ${me}`));
  await owner.query(`
    create function public.unprotected() returns pg_catalog.int4 language sql security definer as $$ select length('x'::pg_catalog.text) $$;
    grant execute on function public.unprotected() to public`);
  await client.query("select public.unprotected()");
  t.same(trapped().length, 1, "such as a function that does not pin its search_path");
  caught.length = 0;
});

t.test("every function that runs with the rights of the owner: called, right, and in no trap", async (t) => {
  const id = "00000000-0000-4000-8000-000000000001";
  const calls: Record<string, string[]> = {
    create_route: [
      "create_route('routed', 'queue', '{category}.{type}', public_name => 'p')",
      "create_route('received', 'postgres', categories => '{a}', types => '{T}', max_attempts => 1)",
      "create_route('direct', 'queue', direct => true)",
      "create_route('direct', 'queue', direct => true)",
    ],
    append: [
      "append('a-1', '[{\"type\": \"T\"}]')",
      'append(\'a-1\', \'[{"type": "T", "tags": ["b", "a"], "occurred_at": "2026-01-01T00:00:00Z"}, {"type": "T"}]\', -1, \'k\')',
    ],
    append_event: [
      "append_event('a-1', 'T', '{\"a\": 1}')",
      "append_event('a-2', 'T')",
      "append_event('a-1', 'T', tags => '{a}', idempotency_key => 'e', tenant_id => 'one')",
    ],
    append_streams: [
      'append_streams(\'[{"stream_id": "a-1", "events": [{"type": "T"}]}, {"stream_id": "a-9", "expected_version": 0}]\')',
    ],
    append_batch: [
      'append_batch(\'[{"stream_id": "a-1", "events": [{"type": "T"}]}, {"stream_id": "a-3", "events": []}, {"stream_id": "a-4", "events": [{"type": "T"}], "idempotency_key": "k"}]\')',
    ],
    publish: ['publish(\'direct\', \'{"type": "T", "key": "k", "occurred_at": "2026-01-01T00:00:00Z"}\')'],
    receive: ["receive('received', 5)", "receive('received', 5)"],
    ack: ["ack('received', (select token from daybook.outbox_leases limit 1))"],
    nack: ["nack('received', (select token from daybook.outbox_leases where token is not null limit 1), 'failed')"],
    create_handler: [
      "create_handler('h', types => '{T}', max_attempts => 1)",
      "create_handler('h', types => '{T,U}', max_attempts => 1)",
    ],
    due_consumers: ["due_consumers(0, 5)"],
    next_due: ["next_due()"],
    claim_consumer: ["claim_consumer('handler', 'h', 0, 1)"],
    read_events_for: ["read_events_for('h', 0, 5)"],
    fail_message: [`fail_message('handler', 'h', 0, 0, 1, 'a-1', '${id}', 'T', '{"message": "m"}')`],
    finish_batch: ["finish_batch('handler', 'h', 0, 0, 3)"],
    retry_dead_letter: ["retry_dead_letter((select min(dead_letter) from daybook.dead_letters))"],
    claim_parked: ["claim_parked('handler', 'h', 0, 1)"],
    read_parked_events: ["read_parked_events('h', 'a-1', 1, 3)"],
    fail_parked: [`fail_parked('handler', 'h', 'a-1', 1, '${id}', 'T', '{"message": "m"}')`],
    retry_dead_letters: ["retry_dead_letters('handler', 'h')"],
    retry_parked: ["retry_parked('handler', 'h', 'a-1')"],
    finish_parked: ["finish_parked('handler', 'h', 'a-1', 1, 3)"],
    discard_dead_letter: [
      `fail_message('handler', 'h', 0, 3, 4, 'a-2', '${id}', 'T', '{"message": "m"}')`,
      "discard_dead_letter((select max(dead_letter) from daybook.dead_letters), 'test')",
    ],
    discard_dead_letters: [
      `fail_message('handler', 'h', 0, 3, 4, 'a-2', '${id}', 'T', '{"message": "m"}')`,
      "discard_dead_letters('handler', 'h', 'test')",
    ],
    postpone: ["postpone('handler', 'h', 0, 3, '{\"message\": \"m\"}')"],
    handler_position: ["handler_position('h')"],
    advance_handler: ["advance_handler('h', 4, 'test')"],
    pause_handler: ["pause_handler('h', 'test')"],
    resume_handler: ["resume_handler('h')"],
    reset_handler: ["reset_handler('h', 'now', 'test')"],
    replay_handler: ["replay_handler('h', 'start', 'again')"],
    move_idle_consumers: ["move_idle_consumers(0, 5)"],
    halt_consumer: ["halt_consumer('handler', 'again', 'test')"],
    drop_handler: ["drop_handler('again')", "drop_handler('h', 'test')"],
    pause_route: ["pause_route('routed', 'test')"],
    resume_route: ["resume_route('routed')"],
    reset_route: ["reset_route('routed')"],
    register_worker: ["register_worker('w', 'here', 1)"],
    sweep_workers: ["sweep_workers()"],
    unregister_worker: ["unregister_worker('w')"],
    create_projection: [
      `create_projection('p', 'public.fold', '{"p": "stream_id text primary key, n bigint"}', mode => 'inline', setup => 'create index on p (n)')`,
      `create_projection('p', 'public.fold', '{"p": "stream_id text primary key, n bigint"}', mode => 'inline', setup => 'create index on p (n)')`,
      "append_event('a-1', 'T')",
      'append_batch(\'[{"stream_id": "a-1", "events": [{"type": "T"}]}]\')',
    ],
    sees_version: ["sees_version('p', 1)"],
    rebuild_projection: ["rebuild_projection('p')"],
    drop_rebuild: ["drop_rebuild('p')"],
    replace_projection: [
      `replace_projection('p', tables => '{"p": "stream_id text primary key, n bigint, tenant_id text"}', types => '{T}')`,
    ],
    advance_projection: ["advance_projection('p@3')", "advance_projection('p')"],
    wait_for: ["wait_for('p', 1)"],
    pause_projection: ["pause_projection('p', 'test')"],
    resume_projection: ["resume_projection('p')", "advance_projection('p')"],
    reset_projection: ["reset_projection('p')", "advance_projection('p', 3)", "advance_projection('p')"],
    drop_projection: ["drop_projection('p')"],
    process_once: ["process_once('c', 'm')", "process_once('c', 'm')"],
    forget_delivered: ["forget_delivered()"],
    forget_processed_messages: ["forget_processed_messages()"],
    drop_route: ["drop_route('routed', 'test')", "drop_route('received', 'test')", "drop_route('direct', 'test')"],
    create_reducer: [
      "create_reducer('r', 'public.folded', snapshot_every => 1)",
      "create_reducer('r', 'public.folded', 2)",
    ],
    save_snapshot: [
      "save_snapshot('a-1', 'r', 2, 1, '{}')",
      "save_snapshot('a-1', 'r', 2, 1, '{}', 'client', 1)",
      "save_snapshot('a-1', 'r', 1, 2, '{}', 'client', 1)",
    ],
    forget_snapshots: ["forget_snapshots('r', 'a-1', 'default')"],
    drop_reducer: ["drop_reducer('r')"],
    visible_tenants: ["visible_tenants()"],
    _read_from: ["_read_from(0)"],
    _partition_facts: ["_partition_facts()"],
    ensure_partitions: ["ensure_partitions(8)"],
    seal_partitions: ["seal_partitions()", "seal_partitions()", "seal_partitions()"],
    forget_idempotency_keys: ["forget_idempotency_keys()"],
    upkeep: ["upkeep()"],
    checkpoint_position: ["checkpoint_position('c')"],
    advance_checkpoint: ["advance_checkpoint('c', 1)"],
    configure: ["configure('idempotency_retention', '3 days')"],
    grant_tenant: [`grant_tenant('${me}', 'one')`, `grant_tenant('${me}', '*')`],
    revoke_tenant: [`revoke_tenant('${me}', 'one')`, `revoke_tenant('${me}', '*')`],
  };
  t.same(
    Object.keys(calls).toSorted(),
    (await column(owner, "select proname from pg_proc where pronamespace = 'daybook'::regnamespace and prosecdef"))
      .map(String)
      .toSorted(),
  );
  await owner.query(
    "create function public.folded(state jsonb, event daybook.event) returns jsonb language sql immutable as 'select state'",
  );
  await owner.query("select daybook._make_partition('2020-01-01 00:00+00')");
  await owner.query(`
    create function public.fold(events daybook.event[]) returns void language plpgsql as $$ begin
      insert into p as p (stream_id, n) select e.stream_id, count(*) from unnest(events) e group by 1 order by 1
      on conflict (stream_id) do update set n = p.n + excluded.n; end $$`);
  for (const list of Object.values(calls)) {
    for (const call of list) {
      await client.query(`select * from daybook.${call}`);
      t.same(trapped(), [], call);
      caught.length = 0;
    }
  }
  t.same(await rows(owner, "select tenant_id, stream_id, version from daybook.streams order by 1, 2"), [
    { tenant_id: "default", stream_id: "a-1", version: 8 },
    { tenant_id: "default", stream_id: "a-2", version: 1 },
    { tenant_id: "default", stream_id: "a-4", version: 1 },
    { tenant_id: "one", stream_id: "a-1", version: 1 },
  ]);
  t.equal(
    await value(owner, "select idempotency_retention from daybook.settings").then(String),
    String(await value(owner, "select '3 days'::interval")),
  );
  t.equal(await value(owner, "select count(*) from daybook.partitions where state = 'sealed'"), 1);
  t.equal(await value(owner, "select daybook.checkpoint_position('c')"), 1);
  t.same(await rows(owner, "select * from daybook.tenant_grants"), []);
});

t.test("checks that refuse do not step into one either, and refuse", async (t) => {
  const codes: Record<string, string> = {
    "append('a-1', '[{\"type\": \"T\"}]', 0)": "YD001",
    "append_event('a-1', '')": "YD101",
    "append_streams('[]')": "YD102",
    "append_event('', 'T')": "YD103",
    "append_event('a-1', 'T', expected_version => -5)": "YD104",
    "append_event('a-1', 'T', tenant_id => '*')": "YD203",
    "configure('x', 'y')": "YD108",
    "grant_tenant('nobody at all', 'x')": "YD108",
    "advance_checkpoint('c', 1000000)": "YD403",
  };
  for (const [call, code] of Object.entries(codes)) {
    await t.rejects(client.query(`select * from daybook.${call}`), { code }, call);
    t.same(trapped(), [], call);
  }
});

t.test("row security holds as well", async (t) => {
  const writer = await connect(t, await roleLogin(database, { roles: ["daybook_writer"], tenants: ["one"] }));
  await owner.query("grant usage on schema evil to public");
  await writer.query("set search_path = evil, pg_catalog");
  for (const relation of ["events", "streams", "event_log", "stream_heads"]) {
    t.same(
      (await writer.query<Row>(`select distinct tenant_id from daybook.${relation}`)).rows,
      [{ tenant_id: "one" }],
      relation,
    );
  }
});
