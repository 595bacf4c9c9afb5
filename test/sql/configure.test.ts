import t from "tap";
import { testDatabase } from "../support/database.ts";
import { column, connect, refused, row, rows, value } from "./support.ts";

const { url } = await testDatabase(t);
const [admin, session] = [await connect(t, url), await connect(t, url)];
const big = JSON.stringify({ text: "x".repeat(3000) });
const calls: Record<string, (kind: string) => string> = {
  append_event: (kind) => `append_event('${kind}-1', 'T', $1)`,
  append: (kind) =>
    `append('${kind}-1', jsonb_build_array(jsonb_build_object('type', 'T', 'data', $1::jsonb), '{"type": "T"}'::jsonb))`,
  append_streams: (kind) =>
    `append_streams(jsonb_build_array(jsonb_build_object('stream_id', '${kind}-1', 'events', jsonb_build_array(jsonb_build_object('type', 'T', 'data', $1::jsonb)))))`,
};
const batch = (kind: string) =>
  rows(
    session,
    "select status, error ->> 'code' as code from daybook.append_batch(jsonb_build_array(jsonb_build_object('stream_id', $2::text, 'events', jsonb_build_array(jsonb_build_object('type', 'T', 'data', $1::jsonb)))))",
    [big, `${kind}-1`],
  );
const run = (fn: string, kind: string) =>
  session.query({ name: `${fn} ${kind}`, text: `select daybook.${calls[fn]?.(kind)}`, values: [big] });

t.test("configure returns all settings", async (t) => {
  const settings = await row(admin, "select * from daybook.configure('max_events', '9999')");
  t.match(settings, { max_event_bytes: 1048576, max_events: 9999, partitions_ahead: 3 });
  t.same(await row(admin, "select * from daybook.settings"), settings);
});

t.test("sessions with plans of their own see a new limit at once, and only when it is committed", async (t) => {
  const all = async (name: string) => {
    for (const fn of Object.keys(calls)) await run(fn, "there");
    t.match(await batch("there"), [{ status: "appended" }], `${name}: fits`);
  };
  const none = async (name: string) => {
    for (const fn of Object.keys(calls)) {
      for (const kind of ["there", "new"]) {
        await refused(t, "YD105", `${name}: ${fn}`, () => run(fn, kind));
      }
    }
    for (const kind of ["there", "new"]) {
      t.same(await batch(kind), [{ status: "failed", code: "YD105" }], `${name}: append_batch`);
    }
  };
  for (let n = 0; n < 7; n++) await all("as installed");
  await admin.query("begin; select daybook.configure('max_event_bytes', '2000')");
  await all("not committed yet");
  await admin.query("rollback");
  await all("rolled back");
  await admin.query("select daybook.configure('max_event_bytes', '2000')");
  await none("smaller");
  await admin.query("select daybook.configure('max_event_bytes', '1048576')");
  await all("larger again");

  // and a number of events
  const five = JSON.stringify(Array.from({ length: 5 }, () => ({ type: "T" })));
  const append = () => session.query("select daybook.append('five-1', $1)", [five]);
  const inBatch = () =>
    rows(
      session,
      "select error ->> 'code' as code from daybook.append_batch(jsonb_build_array(jsonb_build_object('stream_id', 'five-2', 'events', $1::jsonb)))",
      [five],
    );
  for (let n = 0; n < 7; n++) {
    await append();
    t.same(await inBatch(), [{ code: null }]);
  }
  await admin.query("select daybook.configure('max_events', '4')");
  await refused(t, "YD106", "append", append);
  t.same(await inBatch(), [{ code: "YD106" }], "append_batch");
});

t.test("the constants are what the settings say, keep their rights and their comments", async (t) => {
  const described = () =>
    rows(
      admin,
      `select proname, proacl::text as acl, obj_description(oid, 'pg_proc') as comment from pg_proc
        where pronamespace = 'daybook'::regnamespace and proname in ('_max_event_bytes', '_max_events', '_writable_from', '_writable_until') order by 1`,
    );
  const before = await described();
  t.ok(
    before.every((r) => r.comment),
    "commented",
  );
  await admin.query(
    "select daybook.configure('max_events', '1234'), daybook.configure('max_event_bytes', '4321'), daybook.ensure_partitions(9)",
  );
  t.same(await row(admin, "select daybook._max_events() as events, daybook._max_event_bytes() as bytes"), {
    events: 1234,
    bytes: 4321,
  });
  t.same(await described(), before);
});

t.test("upkeep does what there is to do, and says so", async (t) => {
  await admin.query(
    "select daybook.configure('idempotency_retention', '1 hour'), daybook.configure('partitions_ahead', '10')",
  );
  await admin.query(
    `select daybook.append('a-' || n, '[{"type": "T"}]', idempotency_key => 'k') from generate_series(1, 3) n`,
  );
  await admin.query("update daybook.idempotency_keys set created_at = created_at - interval '2 hours'");
  const done = await rows(admin, "select task, result from daybook.upkeep()");
  t.match(done, [
    { task: "partition made", result: /^event_log_\d{4}_\d{2}$/ },
    { task: "idempotency keys forgotten", result: "3" },
  ]);
  t.same(await column(admin, "select task from daybook.upkeep()"), [], "and then nothing");
  t.equal(await value(admin, "select count(*) from daybook.idempotency_keys"), 0);
});
