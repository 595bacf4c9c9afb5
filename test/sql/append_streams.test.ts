import t from "tap";
import { testDatabase } from "../support/database.ts";
import { connect, refused, rows, value, writesNothing } from "./support.ts";

const database = await testDatabase(t);
const db = database.pool;
const call = (entries: unknown, client: Parameters<typeof rows>[0] = db) =>
  rows(client, "select * from daybook.append_streams($1)", [JSON.stringify(entries)]);
const event = { type: "T" };

t.test("several streams at once: one row an entry, in the order given", async (t) => {
  const result = await call([
    { stream_id: "z-1", events: [event, event] },
    { stream_id: "a-1", events: [event], expected_version: 0 },
    { stream_id: "m-1", events: null, expected_version: 0 },
    { stream_id: "k-1", events: [event], idempotency_key: "k" },
  ]);
  const first = Number(result[0]?.first_position);
  t.same(result, [
    { stream_id: "z-1", stream_version: 2, first_position: first, last_position: first + 1, duplicate: false },
    { stream_id: "a-1", stream_version: 1, first_position: first + 2, last_position: first + 2, duplicate: false },
    { stream_id: "m-1", stream_version: 0, first_position: null, last_position: null, duplicate: false },
    { stream_id: "k-1", stream_version: 1, first_position: first + 3, last_position: first + 3, duplicate: false },
  ]);
  t.same(await rows(db, "select stream_id, version from daybook.events order by position"), [
    { stream_id: "z-1", version: 1 },
    { stream_id: "z-1", version: 2 },
    { stream_id: "a-1", version: 1 },
    { stream_id: "k-1", version: 1 },
  ]);
});

t.test("every failing check is reported, in the order of the streams' names, and nothing is written", async (t) => {
  await call([
    { stream_id: "c-1", events: [event] },
    { stream_id: "c-2", events: [event, event] },
  ]);
  await writesNothing(t, db, "conflicts", async () => {
    const detail = await refused(t, "YD001", "four of six", () =>
      call([
        { stream_id: "new-2", events: [event], expected_version: -1 },
        { stream_id: "c-2", events: [event], expected_version: 1 },
        { stream_id: "c-1", events: [event], expected_version: 1 },
        { stream_id: "fine-1", events: [event] },
        { stream_id: "c-3", expected_version: 5 },
        { stream_id: "c-4", events: [], expected_version: -1 },
      ]),
    );
    const conflicts = [
      { tenant_id: "default", stream_id: "c-2", expected: 1, actual: 2 },
      { tenant_id: "default", stream_id: "c-3", expected: 5, actual: 0 },
      { tenant_id: "default", stream_id: "c-4", expected: -1, actual: 0 },
      { tenant_id: "default", stream_id: "new-2", expected: -1, actual: 0 },
    ];
    t.same(detail, { ...conflicts[0], conflicts });
  });
});

t.test("an entry without events is a check alone, and holds until the transaction ends", async (t) => {
  const checker = await connect(t, database.url);
  const writer = await connect(t, database.url);
  await db.query("select daybook.append_event('limit-1', 'Set')");
  await checker.query("begin");
  t.same(
    await call(
      [
        { stream_id: "limit-1", expected_version: 1 },
        { stream_id: "absent-1", expected_version: 0 },
        { stream_id: "order-1", events: [event] },
      ],
      checker,
    ).then((all) => all.map((r) => [r.stream_version, r.first_position !== null])),
    [
      [1, false],
      [0, false],
      [1, true],
    ],
  );
  // what was checked stays true until the commit: neither stream can be written before
  await writer.query("set lock_timeout = '50ms'");
  for (const stream of ["limit-1", "absent-1"]) {
    await refused(t, "55P03", stream, () => writer.query("select daybook.append_event($1, 'T')", [stream]));
  }
  await checker.query("commit");
  await writer.query("select daybook.append_event('limit-1', 'Changed', expected_version => 1)");
  await writer.query("select daybook.append_event('absent-1', 'Made', expected_version => 0)");
});

t.test("checks alone draw no position", async (t) => {
  const before = await value(db, "select last_value from daybook.positions");
  await call([{ stream_id: "limit-1", expected_version: -1 }]);
  t.equal(await value(db, "select last_value from daybook.positions"), before);
});

t.test("duplicates and new events in one call", async (t) => {
  const one = { stream_id: "dup-1", events: [{ type: "Reserved", data: { n: 1 } }], idempotency_key: "r-1" };
  const id = crypto.randomUUID();
  const two = { stream_id: "dup-2", events: [{ type: "Paid", event_id: id }], expected_version: 0 };
  const first = await call([one, two]);
  const again = await call([two, { stream_id: "dup-3", events: [event] }, one]);
  t.same(
    [again[0], again[2]],
    [first[1], first[0]].map((r) => ({ ...r, duplicate: true })),
  );
  t.match(again[1], { stream_version: 1, duplicate: false });
  t.equal(await value(db, "select count(*) from daybook.events where category = 'dup'"), 3);

  await writesNothing(t, db, "one key reused", async () => {
    const detail = await refused(t, "YD002", "all or nothing", () =>
      call([
        { stream_id: "dup-4", events: [event] },
        { ...one, events: [event] },
      ]),
    );
    t.match(detail, { stream_id: "dup-1", idempotency_key: "r-1" });
  });
});

t.test("an error in one entry undoes all, in a trigger too", async (t) => {
  await db.query(`
    create function public.refuse_poison() returns trigger language plpgsql as $$
    begin
      if exists (select from added where type = 'Poison') then raise exception 'poison'; end if;
      return null;
    end $$;
    create trigger refuse_poison after insert on daybook.event_log referencing new table as added
      for each statement execute function public.refuse_poison()`);
  const before = await value(db, "select count(*) from daybook.events");
  await refused(t, "P0001", "poison", () =>
    call([
      { stream_id: "all-1", events: [event] },
      { stream_id: "all-2", events: [{ type: "Poison" }] },
    ]),
  );
  t.equal(await value(db, "select count(*) from daybook.events"), before);
  t.equal(await value(db, "select daybook.stream_version('all-1')"), 0);
});
