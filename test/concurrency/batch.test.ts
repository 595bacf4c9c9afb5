import t from "tap";
import { testDatabase } from "../support/database.ts";
import { appendBatch } from "./support/calls.ts";
import { appendTo } from "./support/in-flight.ts";
import { logViolations } from "./support/log.ts";
import { endsAlone, type Row, sessions } from "./support/sessions.ts";

/* append_batch: many independent appends, each with its own outcome; it never waits for a stream. */

const { url } = await testDatabase(t);
const { a, b, holder, monitor } = await sessions(t, url, ["a", "b", "holder", "monitor"]);
// A test that fails in the middle leaves the next ones nothing to wait for.
t.afterEach(() => Promise.all([a, holder].map((session) => session.rows("rollback"))));

await monitor.rows(`
  create function refuse() returns trigger language plpgsql as $$
  begin
    if new.type = 'Refused' then
      raise exception 'the application refuses' using errcode = 'P0042';
    elsif new.type = 'Locked' then
      raise lock_not_available;
    end if;
    return new;
  end $$;
  create trigger refuse before insert on daybook.event_log for each row execute function refuse();`);

const statuses = (rows: readonly Row[]) => rows.map((row) => row.status);
const batch = (entries: readonly unknown[]) =>
  a.rows("select * from daybook.append_batch($1)", [JSON.stringify(entries)]);
const entry = (stream: string, type = "Tested") => ({ stream_id: stream, events: [{ type }] });

t.test("it does not wait for a stream that somebody else holds", async (t) => {
  await appendTo(monitor, "batch held-2");
  await holder.rows("begin");
  await appendTo(holder, "batch held-2");
  const { text, values } = appendBatch(...[1, 2, 3].map((i) => ({ stream: `batch held-${i}` })));
  const appending = a.rows(text, values);
  t.ok(await endsAlone(monitor, a, [holder], appending));
  t.same(statuses(await appending), ["appended", "busy", "appended"]);
  t.equal(await b.value("select daybook.stream_version('batch held-3')"), 1, "committed while the other is still held");
  await holder.rows("commit");
  t.same(statuses(await a.rows(text, values)), ["appended", "appended", "appended"]);
});

t.test("it gives up on a stream that somebody else has just made and not committed", async (t) => {
  for (const extra of [{}, { expected_version: 0 }, { expected_version: -1 }, { idempotency_key: "k" }]) {
    const name = `batch made ${JSON.stringify(extra)}`;
    await holder.rows("begin");
    await appendTo(holder, `${name}-2`);
    await a.rows("set statement_timeout = '2s'");
    const rows = await batch([entry(`${name}-1`), { ...entry(`${name}-2`), ...extra }, entry(`${name}-3`)]);
    await a.rows("reset statement_timeout");
    t.same(statuses(rows), ["appended", "busy", "appended"]);
    await holder.rows("rollback");
  }
});

t.test("streams that are held cost the others nothing: those go together", async (t) => {
  const streams = Array.from({ length: 20 }, (_, i) => `batch together-${i}`);
  for (const stream of streams) await appendTo(monitor, stream);
  await holder.rows("begin");
  for (const stream of streams.slice(0, 10)) await appendTo(holder, stream);
  await a.rows("set track_functions = 'all'");
  await a.rows("begin");
  t.equal(
    statuses(await batch(streams.map((stream) => entry(stream)))).filter((status) => status === "busy").length,
    10,
  );
  t.equal(
    await a.value("select count(*) from pg_stat_xact_user_functions where funcname = '_append_entry' and calls > 0"),
    0,
    "none was appended singly",
  );
  await a.rows("commit");
  await holder.rows("commit");
});

t.test("one entry fails in a trigger, another's stream is held: the other 62 are appended", async (t) => {
  await holder.rows("begin");
  await appendTo(holder, "batch mixed-40");
  const entries = Array.from({ length: 64 }, (_, i) => entry(`batch mixed-${i}`, i === 20 ? "Refused" : "Tested"));
  const rows = await batch(entries);
  t.match(rows[20], { status: "failed", error: { code: "P0042", message: "the application refuses" } });
  t.match(rows[40], { status: "busy" });
  t.equal(statuses(rows).filter((status) => status === "appended").length, 62);
  t.equal(await b.value("select count(*) from daybook.streams where stream_id like 'batch mixed-%'"), 62);
  await holder.rows("rollback");
});

t.test("an entry fails alone, whatever the reason", async (t) => {
  await appendTo(monitor, "batch reasons-2");
  const rows = await batch([
    entry("batch reasons-1"),
    { ...entry("batch reasons-2"), expected_version: 7 },
    { stream_id: "batch reasons-3" },
    { ...entry("batch reasons-4"), surprise: 1 },
    entry("batch reasons-5", ""),
    "not an entry",
    entry("batch reasons-6", "Refused"),
    entry("batch reasons-7"),
  ]);
  t.same(statuses(rows), ["appended", "failed", "failed", "failed", "failed", "failed", "failed", "appended"]);
  t.same(
    rows.map((row) => (row.error as { code: string } | null)?.code),
    [undefined, "YD001", "YD102", "YD102", "YD101", "YD102", "P0042", undefined],
  );
});

t.test("several entries of a stream are appended in the order given, whatever they are", async (t) => {
  const kinds = [
    {},
    { expected_version: -1 },
    { idempotency_key: "k" },
    { tenant_id: "default" },
    { expected_version: 5 },
    {},
  ];
  await appendTo(monitor, "batch order-1");
  const entries = kinds.map((kind, i) => ({ ...entry("batch order-1", `T${i}`), ...kind }));
  const rows = await batch([entry("batch order-2"), ...entries, entry("batch order-3")]);
  t.same(
    statuses(rows),
    Array.from({ length: 8 }, () => "appended"),
  );
  const versions = rows.slice(1, 7).map((row) => row.stream_version);
  t.same(versions, [2, 3, 4, 5, 6, 7]);
  const types = await a.column("select type from daybook.read_stream('batch order-1', 2)");
  t.same(types, ["T0", "T1", "T2", "T3", "T4", "T5"]);
});

t.test("when one entry of a stream is busy, the later ones of that stream are busy too", async (t) => {
  // The trigger plays somebody who holds the stream just until the first entry has given up.
  const rows = await batch([
    entry("batch overtaken-1", "Locked"),
    entry("batch overtaken-1"),
    entry("batch overtaken-2"),
  ]);
  t.same(statuses(rows), ["busy", "busy", "appended"]);
});

t.test("the log is whole", async (t) => t.same(await logViolations(monitor), []));
