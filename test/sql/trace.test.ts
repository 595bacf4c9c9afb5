import t from "tap";
import { testDatabase } from "../support/database.ts";
import { connect, rows } from "./support.ts";

const database = await testDatabase(t);
const db = await connect(t, database.url);
const id = (n: number) => `00000000-0000-7000-8000-${String(n).padStart(12, "0")}`;
const story = id(1000);
const trace = async (correlation = story, more = ""): Promise<unknown[]> =>
  (
    await rows(db, `select depth, path::text[], (event).type, (event).event_id from daybook.trace($1${more})`, [
      correlation,
    ])
  ).map((r) => [r.depth, r.type, (r.path as string[]).map((p) => Number(p.slice(-12)))]);

async function append(
  stream: string,
  type: string,
  event: number,
  causation: number | null,
  correlation = story,
  tenant: string | null = null,
) {
  await db.query(
    "select daybook.append_event($1, $2, event_id => $3, causation_id => $4, correlation_id => $5, tenant_id => $6)",
    [stream, type, id(event), causation === null ? null : id(causation), correlation, tenant],
  );
}

t.test("what caused what, across streams, depth first, in the order it happened", async (t) => {
  await append("order-1", "Placed", 1, null);
  await append("payment-1", "Requested", 2, 1);
  await append("stock-1", "Reserved", 3, 1);
  await append("payment-1", "Paid", 4, 2);
  await append("order-1", "Confirmed", 5, 4);
  await append("stock-1", "Shipped", 6, 3);
  // by a command or an event outside: a root too
  await append("order-1", "Annotated", 7, 999);
  await append("noise-1", "Other", 8, 1, id(2000));
  await append("noise-1", "Foreign", 9, 1, story, "other");
  await db.query("select daybook.append_event('noise-1', 'NoCorrelation', causation_id => $1)", [id(1)]);
  t.same(await trace(), [
    [0, "Placed", [1]],
    [1, "Requested", [1, 2]],
    [2, "Paid", [1, 2, 4]],
    [3, "Confirmed", [1, 2, 4, 5]],
    [1, "Reserved", [1, 3]],
    [2, "Shipped", [1, 3, 6]],
    [0, "Annotated", [7]],
  ]);
  t.same(await trace(story, ", 'other'"), [[0, "Foreign", [9]]], "each tenant has its own");
  t.same(await trace(id(3000)), []);
  t.same(await rows(db, "select * from daybook.trace(null)"), []);
  t.same(
    await rows(db, "select (r.event).* from daybook.trace($1) r where (r.event).event_id = $2", [story, id(4)]),
    await rows(db, "select * from daybook.read_event($1)", [id(4)]),
    "events as read_event gives them",
  );
});

t.test("an effect written before its cause hangs below it all the same", async (t) => {
  await db.query(
    "select daybook.append('order-2', jsonb_build_array(jsonb_build_object('type', 'Effect', 'event_id', $1::text, 'causation_id', $2::text, 'correlation_id', $3::text), jsonb_build_object('type', 'Cause', 'event_id', $2::text, 'correlation_id', $3::text)))",
    [id(21), id(22), id(1020)],
  );
  t.same(await trace(id(1020)), [
    [0, "Cause", [22]],
    [1, "Effect", [22, 21]],
  ]);
});

t.test("circles end, and no event is left out", async (t) => {
  await append("self-1", "CausedItself", 31, 31, id(1030));
  await append("self-1", "Next", 32, 31, id(1030));
  t.same(await trace(id(1030)), [
    [0, "CausedItself", [31]],
    [1, "Next", [31, 32]],
  ]);

  await append("circle-1", "A", 41, 42, id(1040));
  await append("circle-1", "B", 42, 43, id(1040));
  await append("circle-1", "C", 43, 41, id(1040));
  await append("circle-1", "Tail", 44, 43, id(1040));
  await append("circle-1", "Apart", 45, null, id(1040));
  const all = await trace(id(1040));
  t.same(all.map((r) => (r as unknown[])[1]).toSorted(), ["A", "Apart", "B", "C", "Tail"]);
});

t.test("a long chain", async (t) => {
  const events = Array.from({ length: 300 }, (_, i) => ({
    type: `E${i}`,
    event_id: id(5000 + i),
    causation_id: id(4999 + i),
    correlation_id: id(1050),
  }));
  await db.query("select daybook.append('chain-1', $1)", [JSON.stringify(events)]);
  const all = await trace(id(1050));
  t.same(
    all.map((r) => (r as unknown[]).slice(0, 2)),
    events.map((e, i) => [i, e.type]),
  );
});
