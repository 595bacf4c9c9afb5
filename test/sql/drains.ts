import type { Test } from "tap";
import { type TestDatabase, testDatabase } from "../support/database.ts";
import { roleLogin } from "../support/roles.ts";
import { connect, type Queryable, type Row, row, rows, value } from "./support.ts";

/** A store with connections as those who use it: nothing here is done with the rights of the owner. */
export async function consumerStore(t: Test) {
  const database: TestDatabase = await testDatabase(t);
  const login = async (role: string) => connect(t, await roleLogin(database, { roles: [role], tenants: ["*"] }));
  return {
    database,
    url: database.url,
    owner: await connect(t, database.url),
    worker: await login("daybook_worker"),
    other: await login("daybook_worker"),
    admin: await login("daybook_admin"),
    writer: await login("daybook_writer"),
    login,
  };
}

/** Appends one event a stream; returns their positions. */
export async function append(
  db: Queryable,
  streams: readonly string[],
  type = "T",
  tenant?: string,
): Promise<number[]> {
  const positions: number[] = [];
  for (const stream of streams)
    positions.push(
      Number(
        await value(db, "select last_position from daybook.append_event($1, $2, tenant_id => $3)", [
          stream,
          type,
          tenant,
        ]),
      ),
    );
  return positions;
}

/** A shard, as a drain names it. */
export interface Shard {
  readonly name: string;
  readonly shard?: number;
  readonly shards?: number;
}

export const claim = (db: Queryable, { name, shard = 0, shards = 1 }: Shard) =>
  rows(db, "select * from daybook.claim_consumer('handler', $1, $2, $3)", [name, shard, shards]);

export const claimParked = (db: Queryable, { name, shard = 0, shards = 1 }: Shard) =>
  rows(db, "select * from daybook.claim_parked('handler', $1, $2, $3, 10)", [name, shard, shards]);

export const finish = (db: Queryable, { name, shard = 0 }: Shard, from: unknown, to: unknown) =>
  db.query("select daybook.finish_batch('handler', $1, $2, $3::bigint, $4::bigint)", [name, shard, from, to]);

/** What a drain says that an event has failed. */
export async function fail(db: Queryable, name: string, at: number, event: Row, message = "no"): Promise<unknown> {
  return value(
    db,
    `select daybook.fail_message('handler', $1, 0, $2, $3, $4, $5, $6, jsonb_build_object('message', $7::text), tenant_id => $8)`,
    [name, at, event.position, event.stream_id, event.event_id, event.type, message, event.tenant_id],
  );
}

export async function failParked(
  db: Queryable,
  name: string,
  event: Row,
  error: object = { message: "no" },
): Promise<unknown> {
  return value(db, "select daybook.fail_parked('handler', $1, $2, $3, $4, $5, $6, $7)", [
    name,
    event.stream_id,
    event.position,
    event.event_id,
    event.type,
    JSON.stringify(error),
    event.tenant_id,
  ]);
}

export const finishParked = (db: Queryable, name: string, stream: string, from: unknown, to: unknown) =>
  db.query("select daybook.finish_parked('handler', $1, $2, $3::bigint, $4::bigint)", [name, stream, from, to]);

/** One batch, as a drain does it; `handle` sees each event and may throw. Undefined where nothing was claimed. */
export async function batch(
  db: Queryable,
  of: Shard & { readonly max?: number },
  handle: (event: Row) => unknown = () => undefined,
): Promise<Row[] | undefined> {
  const { name, shard = 0, shards = 1, max = 500 } = of;
  await db.query("begin");
  try {
    const [claimed] = await claim(db, of);
    if (claimed === undefined) {
      await db.query("commit");
      return undefined;
    }
    const events = await rows(db, "select * from daybook.read_events_for($1, $2, $3, $4, $5, $6)", [
      name,
      claimed.position,
      claimed.horizon,
      max,
      shard,
      shards,
    ]);
    for (const event of events) await handle(event);
    await finish(db, of, claimed.position, events.length < max ? claimed.horizon : events.at(-1)?.position);
    await db.query("commit");
    return events;
  } catch (error) {
    await db.query("rollback");
    throw error;
  }
}

/** What is due of a stream that is parked: it is read, and said to be done. */
export async function unpark(db: Queryable, of: Shard, stream: string): Promise<Row[]> {
  await db.query("begin");
  const parked = (await claimParked(db, of)).find((p) => p.stream_id === stream);
  const events =
    parked === undefined
      ? []
      : await rows(db, "select * from daybook.read_parked_events($1, $2, $3, $4, 500, tenant_id => $5)", [
          of.name,
          stream,
          parked.position,
          parked.through,
          parked.tenant_id,
        ]);
  if (parked !== undefined) await finishParked(db, of.name, stream, parked.position, parked.through);
  await db.query("commit");
  return events;
}

export const handler = (db: Queryable, name: string) =>
  row(db, "select * from daybook.handlers where name = $1", [name]);

export const positions = (events: readonly Row[] | undefined) => events?.map((e) => e.position);

/** Makes what is parked due now. */
export const makeDue = (owner: Queryable) =>
  owner.query(
    "update daybook.parked_streams set retry_at = now() where retry_at is not null; update daybook.cursors set retry_at = now() where retry_at is not null",
  );
