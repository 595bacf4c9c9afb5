import t from "tap";
import { testDatabase } from "../support/database.ts";
import { connect, failure, type Row, refused, rows, value, writesNothing } from "./support.ts";
import { ways, waysForMany } from "./ways.ts";

const database = await testDatabase(t);
const db = await connect(t, database.url);
await db.query("select daybook.append_event('there-1', 'T')");
const event = { type: "T" };

t.test("sizes and counts as configured", async (t) => {
  await db.query("select daybook.configure('max_event_bytes', '1024'), daybook.configure('max_events', '5')");
  const bytes = (n: number) => ({ text: "x".repeat(n) });
  const six = Array.from({ length: 6 }, () => event);
  const entries = (count: number, each: Row[]) =>
    JSON.stringify(Array.from({ length: count }, (_, i) => ({ stream_id: `six-${i}`, events: each })));
  await writesNothing(t, db, "too much", async () => {
    for (const stream of ["there-1", "new-1"]) {
      for (const way of ways) {
        for (const [name, big] of Object.entries({
          data: { data: bytes(1024) },
          metadata: { metadata: bytes(1024) },
          both: { data: bytes(600), metadata: bytes(600) },
        })) {
          const detail = await refused(t, "YD105", `${way.name}: ${name}`, () =>
            way.append(db, { stream, events: [{ ...event, ...big }] }),
          );
          t.match(detail, { index: 0, max_event_bytes: 1024 });
          t.ok(Number(detail.bytes) > 1024, `${detail.bytes} bytes are too many`);
        }
      }
      for (const way of waysForMany) {
        const detail = await refused(t, "YD106", `${way.name}: six events`, () =>
          way.append(db, { stream, events: six }),
        );
        t.same(detail, { count: 6, max_events: 5 });
        t.match(
          await refused(t, "YD105", "the second", () =>
            way.append(db, { stream, events: [event, { ...event, data: bytes(1024) }] }),
          ),
          { index: 1 },
        );
      }
    }
    for (const [name, call, list] of [
      ["six entries", "append_streams($1)", entries(6, [event])],
      ["three times two events", "append_streams($1)", entries(3, [event, event])],
      ["six entries", "append_batch($1)", entries(6, [event])],
    ]) {
      t.same(await refused(t, "YD106", `${call}: ${name}`, () => db.query(`select daybook.${call}`, [list])), {
        count: 6,
        max_events: 5,
      });
    }
    // a payload that is stored compressed takes the room it takes uncompressed
    await db.query(`create temp table wide as select jsonb_build_object('text', repeat('x', 40000)) as data`);
    t.ok(Number(await value(db, "select pg_column_size(data) from wide")) < 1024, "it is compressed");
    for (const stream of ["there-1", "new-1"]) {
      await refused(t, "YD105", `compressed, to ${stream}`, () =>
        db.query("select daybook.append_event($1, 'T', data) from wide", [stream]),
      );
    }
  });

  // what fits is the same whatever way it goes, and whether the stream is there or not
  for (const way of ways) {
    for (const [used, fits] of [
      [1024 - 45, true],
      [1024 - 5, false],
    ] as const) {
      for (const stream of [`fits ${way.name}-${crypto.randomUUID()}`, "there-1"]) {
        const call = () => way.append(db, { stream, events: [{ type: "t".repeat(200), data: bytes(used) }] });
        const outcome = fits ? (await call()).duplicate : (await failure(call)).code;
        t.equal(outcome, fits ? false : "YD105", `${way.name}: ${used} characters in data, a long type`);
      }
    }
  }
  t.match(
    await rows(db, "select * from daybook.append_batch($1)", [entries(3, [event, event])]),
    [{ status: "appended" }, {}, {}],
    "a batch counts its entries",
  );
  t.equal((await rows(db, "select * from daybook.append_streams($1)", [entries(5, [event])])).length, 5);
});
