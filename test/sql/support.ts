import pg from "pg";
import type { Test } from "tap";

/** A pool or a client: what a query can be sent to. */
export type Queryable = pg.Pool | pg.ClientBase;
export type Row = Record<string, unknown>;

// positions and versions in tests are small: read them as numbers
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: "text") =>
    oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

/** All rows of a query, bigint as number. */
export async function rows(db: Queryable, text: string, values: unknown[] = []): Promise<Row[]> {
  const result = await db.query<Row>({ text, values, types });
  return result.rows;
}

/** The first row of a query. */
export async function row(db: Queryable, text: string, values: unknown[] = []): Promise<Row> {
  const [first] = await rows(db, text, values);
  if (first === undefined) throw new Error(`no row: ${text}`);
  return first;
}

/** The first column of the first row of a query. */
export async function value(db: Queryable, text: string, values: unknown[] = []): Promise<unknown> {
  return Object.values(await row(db, text, values))[0];
}

/** The first column of every row of a query. */
export async function column(db: Queryable, text: string, values: unknown[] = []): Promise<unknown[]> {
  return (await rows(db, text, values)).map((r) => Object.values(r)[0]);
}

/** The form in which PostgreSQL sends an error, and append_batch the error of an entry. */
export interface SqlError {
  code: string;
  message: string;
  detail: string | undefined;
  hint: string | undefined;
}

export function isSqlError(e: unknown): e is SqlError {
  return typeof e === "object" && e !== null && "code" in e && typeof e.code === "string" && "message" in e;
}

/** What a call fails with; a test failure where it succeeds or fails without SQLSTATE. */
export async function failure(call: () => Promise<unknown>): Promise<SqlError> {
  try {
    await call();
  } catch (e) {
    if (isSqlError(e)) return e;
    throw e;
  }
  throw new Error("not refused");
}

/** A refusal in Daybook's way: the DETAIL, parsed, or what is wrong with it. */
export type Refusal = { detail: Row } | { complaint: string };

/** Calls what must fail with a SQLSTATE, and for those of Daybook with a message, a HINT and a DETAIL of JSON. */
export async function refusal(code: string, call: () => Promise<unknown>): Promise<Refusal> {
  let error: SqlError;
  try {
    error = await failure(call);
  } catch (e) {
    return { complaint: e instanceof Error ? e.message : String(e) };
  }
  if (error.code !== code) return { complaint: `${error.code} instead of ${code}: ${error.message}` };
  if (!code.startsWith("YD")) return { detail: {} };
  if (!error.message || !error.hint) return { complaint: "does not say what is wrong and what to do" };
  return parseDetail(error.detail);
}

function parseDetail(text: string | undefined): Refusal {
  try {
    const detail: unknown = JSON.parse(text ?? "");
    if (typeof detail === "object" && detail !== null && !Array.isArray(detail)) return { detail: { ...detail } };
  } catch {}
  return { complaint: `DETAIL is no JSON object: ${text}` };
}

/** Asserts such a refusal and returns its DETAIL. */
export async function refused(t: Test, code: string, name: string, call: () => Promise<unknown>): Promise<Row> {
  const result = await refusal(code, call);
  if ("complaint" in result) {
    t.fail(`${name}: ${result.complaint}`);
    return {};
  }
  t.pass(`${name}: ${code}`);
  return result.detail;
}

/** All that a call could have written, in a form to compare. */
export async function storeState(db: Queryable): Promise<unknown> {
  return value(
    db,
    `select jsonb_build_object(
       'events', (select count(*) from daybook.event_log),
       'streams', (select jsonb_agg(h order by h.tenant_id, h.stream_id) from daybook.stream_heads h),
       'keys', (select count(*) from daybook.idempotency_keys),
       'partitions', (select jsonb_agg(p order by p.range_from) from daybook.event_partitions p),
       'checkpoints', (select jsonb_agg(c order by c.consumer) from daybook.checkpoints c),
       'consumers', (select jsonb_agg(c order by c.kind, c.name) from daybook.consumers c),
       'cursors', (select jsonb_agg(c order by c.kind, c.name, c.shard) from daybook.cursors c),
       'parked streams', (select jsonb_agg(p order by p.tenant_id, p.kind, p.name, p.stream_id) from daybook.parked_streams p),
       'dead letters', (select jsonb_agg(d order by d.dead_letter) from daybook.dead_letters_log d),
       'projections', (select jsonb_agg(v order by v.name, v.version) from daybook.projection_versions v),
       'their schemas', (select jsonb_agg(n.nspname order by n.nspname) from pg_namespace n where n.nspname like 'daybook%'),
       'audit', (select count(*) from daybook.audit_log),
       'reducers', (select jsonb_agg(r order by r.name) from daybook.reducer_definitions r),
       'snapshots', (select jsonb_agg(s order by s.tenant_id, s.stream_key, s.source, s.reducer, s.reducer_version, s.version) from daybook.snapshots_log s),
       'settings', (select jsonb_agg(s) from daybook.settings s),
       'grants', (select jsonb_agg(g order by g.tenant_id, g.role) from daybook.tenant_grants g),
       'last position drawn', (select jsonb_build_array(p.last_value, p.is_called) from daybook.positions p))`,
  );
}

/** Asserts that nothing was written, not even a position drawn, while work ran. */
export async function writesNothing(t: Test, db: Queryable, name: string, work: () => Promise<unknown>): Promise<void> {
  const before = await storeState(db);
  await work();
  t.same(await storeState(db), before, `${name}: nothing written`);
}

/** A connected client that the test's end closes. */
export async function connect(t: Test, url: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  client.on("error", () => {});
  await client.connect();
  t.teardown(() => client.end());
  return client;
}

/** Runs work between BEGIN and COMMIT on one connection; whatever it throws rolls back. */
export async function inTransaction<T>(client: pg.ClientBase, work: () => Promise<T>): Promise<T> {
  await client.query("begin");
  try {
    const result = await work();
    await client.query("commit");
    return result;
  } catch (e) {
    await client.query("rollback");
    throw e;
  }
}
