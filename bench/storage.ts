import { randomUUID } from "node:crypto";
import pg from "pg";
import { benchServer } from "./support/bench-server.ts";
import { benchOptions } from "./support/options.ts";
import { type Row, report } from "./support/report.ts";

const options = benchOptions(`
npm run bench -- storage

Writes the same events, ten to a stream and each in a transaction of its own, to Daybook and to message-db, and compares
bytes on disk: tables, indexes, TOAST, everything. Once with streams named by a UUID, as message-db's own tools name them
(testStream-0198…), once by a number.
`);

const events = options.quick ? 20_000 : 200_000;
const streams = events / 10;
const data = JSON.stringify({
  amount: 100,
  currency: "EUR",
  account: "NL91ABNA0417164300",
  note: "a deposit at the counter",
});

const server = await benchServer();
const rows: Row[] = [];

for (const [kind, name] of [
  ["a UUID", () => randomUUID()],
  ["a number", (i: number) => String(i)],
] as const) {
  const names = Array.from({ length: streams }, (_, i) => `account-${name(i + 1)}`);
  const label = kind.replaceAll(" ", "_").toLowerCase();
  const ours = await fill(
    await server.database(`daybook_${label}`, "daybook"),
    names,
    "perform daybook.append_event(_name, 'MoneyDeposited', _data)",
    daybookBytes,
  );
  const theirs = await fill(
    await server.database(`message_db_${label}`, "message-db"),
    names,
    "perform message_store.write_message(gen_random_uuid()::text, _name, 'MoneyDeposited', _data)",
    messageDbBytes,
  );
  rows.push({
    measure: `bytes per event against message-db, streams of 10 events named by ${kind}`,
    ratio: ours / theirs,
    ...(kind === "a UUID" ? { bar: { atMost: 1 } } : {}),
    details: `${Math.round(ours / events)} against ${Math.round(theirs / events)} bytes an event, payload of ${data.length} bytes`,
  });
}

await server.stop();
await report("storage", server.words, rows, options);

/** Ten rounds over the streams, as time would do it; then the bytes of all there is. */
async function fill(
  url: string,
  names: readonly string[],
  write: string,
  bytes: (client: pg.Client) => Promise<number>,
): Promise<number> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query("set synchronous_commit = off");
  await client.query("set search_path = message_store, public");
  await client.query("create temp table names as select n as name from unnest($1::text[]) n", [names]);
  await client.query(`
    do $$
    declare
      _names text[] := array(select n.name from names n);
      _name text;
      _data jsonb := '${data}';
    begin
      for _round in 1 .. 10 loop
        foreach _name in array _names loop
          ${write};
          commit;
        end loop;
      end loop;
    end $$`);
  const sum = await bytes(client);
  await client.end();
  return sum;
}

async function daybookBytes(client: pg.Client): Promise<number> {
  const {
    rows: [row],
  } = await client.query<{ bytes: string }>(
    `select sum(pg_total_relation_size(c.oid)) as bytes from pg_class c where c.relnamespace = 'daybook'::regnamespace and c.relkind in ('r', 'S')`,
  );
  return Number(row?.bytes);
}

async function messageDbBytes(client: pg.Client): Promise<number> {
  const {
    rows: [row],
  } = await client.query<{ bytes: string }>(
    `select sum(pg_total_relation_size(c.oid)) as bytes from pg_class c where c.relnamespace = 'message_store'::regnamespace and c.relkind in ('r', 'S')`,
  );
  return Number(row?.bytes);
}
