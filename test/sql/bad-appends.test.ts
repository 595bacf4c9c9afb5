import t from "tap";
import { testDatabase } from "../support/database.ts";
import { connect, type Row, refused, rows, value, writesNothing } from "./support.ts";
import { ways, waysForMany } from "./ways.ts";

const database = await testDatabase(t);
const db = await connect(t, database.url);
await db.query("select daybook.append_event('there-1', 'T')");
const event = { type: "T" };

const badTexts = ["", "x".repeat(256), "a\nb", "a\tb", "\u0001", "a\u007f"];

for (const way of ways) {
  t.test(`${way.name}: names, versions and keys that cannot be`, (t) =>
    writesNothing(t, db, "all", async () => {
      const append = (input: Row) => () => way.append(db, { stream: "new-1", events: [event], ...input });
      for (const stream of [...badTexts, "-", "-1"]) {
        const detail = await refused(t, "YD103", `stream ${JSON.stringify(stream).slice(0, 20)}`, append({ stream }));
        t.same(detail, { stream_id: stream });
      }
      for (const expected of [-2, -100, Number.MIN_SAFE_INTEGER]) {
        for (const stream of ["new-1", "there-1"]) {
          const detail = await refused(t, "YD104", `expected ${expected} of ${stream}`, append({ stream, expected }));
          t.same(detail, { expected_version: expected });
        }
      }
      for (const key of ["", "x".repeat(256)]) {
        const detail = await refused(t, "YD108", `key of ${key.length} characters`, append({ key }));
        t.same(detail, { argument: "idempotency_key", length: key.length });
      }
      for (const tenant of [...badTexts, "*"]) {
        const detail = await refused(t, "YD203", `tenant ${JSON.stringify(tenant).slice(0, 20)}`, append({ tenant }));
        t.same(detail, { tenant_id: tenant });
        await refused(t, "YD203", "and of a stream that is there", append({ tenant, stream: "there-1" }));
      }
    }),
  );
}

t.test("null for the stream, the type, the events", (t) =>
  writesNothing(t, db, "all", async () => {
    for (const [code, call] of Object.entries({
      YD103: [
        'append(null, \'[{"type": "T"}]\')',
        'append(null, \'[{"type": "T"}, {"type": "T"}]\')',
        "append_event(null, 'T')",
      ],
      YD101: ["append_event('new-1', null)", "append_event('there-1', null)"],
      YD102: ["append('new-1', null)", "append_streams(null)", "append_batch(null)"],
    })) {
      for (const one of call) await refused(t, code, one, () => db.query(`select daybook.${one}`));
    }
  }),
);

for (const call of ["append('new-1', $1)", "append('there-1', $1)", "append_streams($1)", "append_batch($1)"]) {
  t.test(`${call}: takes an array that is not empty`, (t) =>
    writesNothing(t, db, "all", async () => {
      for (const [given, type] of [
        ["null", "null"],
        ["{}", "object"],
        ['"x"', "string"],
        ["5", "number"],
        ["true", "boolean"],
        ["[]", "array"],
      ]) {
        const detail = await refused(t, "YD102", String(given), () => db.query(`select daybook.${call}`, [given]));
        t.same(detail, { given: type });
      }
    }),
  );
}

/** Entries of append_streams and append_batch, and whether only the first refuses them. */
const badEntries: [string, unknown][] = [
  ["YD102", null],
  ["YD102", "new-1"],
  ["YD102", [{ stream_id: "new-1", events: [event] }]],
  ["YD102", {}],
  ["YD102", { events: [event] }],
  ["YD102", { stream_id: null, events: [event] }],
  ["YD102", { stream_id: 5, events: [event] }],
  ["YD102", { stream_id: ["new-1"], events: [event] }],
  ["YD102", { streamId: "new-1", events: [event] }],
  ["YD102", { stream_id: "new-1", events: [event], expectedVersion: 1 }],
  ["YD102", { stream_id: "new-1", events: [event], correlation_id: crypto.randomUUID() }],
  ...["1", 1.5, true, {}, [1], 1e30].map((expected_version): [string, unknown] => [
    "YD102",
    { stream_id: "new-1", events: [event], expected_version },
  ]),
  ["YD102", { stream_id: "new-1", events: [event], idempotency_key: 5 }],
  ["YD102", { stream_id: "new-1", events: [event], tenant_id: 5 }],
  ["YD102", { stream_id: "new-1", events: {} }],
  ["YD102", { stream_id: "new-1", events: "x", expected_version: 0 }],
  ["YD102", { stream_id: "new-1", events: 5 }],
  ["YD102", { stream_id: "new-1", events: [] }],
  ["YD102", { stream_id: "new-1", events: null }],
  ["YD102", { stream_id: "new-1" }],
  ["YD103", { stream_id: "", events: [event] }],
  ["YD104", { stream_id: "new-1", events: [event], expected_version: -2 }],
  ["YD108", { stream_id: "new-1", events: [event], idempotency_key: "" }],
];

t.test("append_streams: one bad entry and nothing is written", (t) =>
  writesNothing(t, db, "all", async () => {
    const good = { stream_id: "good-1", events: [event] };
    for (const [code, entry] of badEntries) {
      for (const entries of [[entry], [good, entry]]) {
        await refused(t, code, JSON.stringify(entries), () =>
          db.query("select daybook.append_streams($1)", [JSON.stringify(entries)]),
        );
      }
    }
    const twice = (a: Row, b: Row) => [{ stream_id: "there-1", ...a }, good, { stream_id: "there-1", ...b }];
    for (const entries of [
      twice({ events: [event], expected_version: 1 }, { events: [event], expected_version: 2 }),
      twice({ events: [event], expected_version: 1 }, { events: [event], expected_version: 1 }),
      twice({ events: [event] }, { events: [event] }),
      twice({ expected_version: 1 }, { events: [event] }),
    ]) {
      const detail = await refused(t, "YD102", `a stream twice: ${JSON.stringify(entries)}`, () =>
        db.query("select daybook.append_streams($1)", [JSON.stringify(entries)]),
      );
      t.same(detail, { streams: ["there-1"] });
    }
    await refused(t, "YD203", "two tenants", () =>
      db.query("select daybook.append_streams($1)", [JSON.stringify([{ ...good, tenant_id: "other" }])]),
    );
  }),
);

t.test("append_batch: a bad entry fails alone", async (t) => {
  const bad = [
    ...badEntries,
    ...["YD102", "YD102"].map((code, i): [string, unknown] => [
      code,
      { stream_id: "new-1", events: i ? [] : null, expected_version: 0 },
    ]),
  ];
  await writesNothing(t, db, "nothing but bad entries", async () => {
    const all = await rows(db, "select * from daybook.append_batch($1)", [
      JSON.stringify(bad.map(([, entry]) => entry)),
    ]);
    t.same(
      all.map((r) => [r.status, (r.error as Row | null)?.code]),
      bad.map(([code]) => ["failed", code]),
    );
    for (const r of all) {
      const error = r.error as Row;
      t.ok(error.message && error.hint && JSON.parse(String(error.detail)), `entry ${r.entry}: ${error.message}`);
    }
  });
  const mixed = bad.flatMap(([, entry], i) => [entry, { stream_id: `good-${i}`, events: [event] }]);
  const result = await rows(db, "select status from daybook.append_batch($1)", [JSON.stringify(mixed)]);
  t.same(
    result.map((r) => r.status),
    bad.flatMap(() => ["failed", "appended"]),
  );
  t.equal(await value(db, "select count(*) from daybook.events where category = 'good'"), bad.length);
});

t.test("the same event_id twice in a call", async (t) => {
  const event_id = crypto.randomUUID();
  const twice = [{ type: "A", event_id }, { type: "B" }, { type: "C", event_id: event_id.toUpperCase() }];
  await writesNothing(t, db, "all", async () => {
    for (const way of waysForMany) {
      for (const stream of ["there-1", "new-1"]) {
        const detail = await refused(t, "YD107", `${way.name} to ${stream}`, () =>
          way.append(db, { stream, events: twice }),
        );
        t.same(detail, { event_id });
      }
    }
    const entries = twice.map((e, i) => ({ stream_id: `new-${i}`, events: [e] }));
    await refused(t, "YD107", "over several streams", () =>
      db.query("select daybook.append_streams($1)", [JSON.stringify(entries)]),
    );
  });
});
