import t from "tap";
import { testDatabase } from "../support/database.ts";
import { connect, failure, type Row, refusal, writesNothing } from "./support.ts";
import { type Way, ways } from "./ways.ts";

const database = await testDatabase(t);
const db = await connect(t, database.url);
await db.query("select daybook.append_event('there-1', 'T')");

const uuid = "0198f0a0-0000-7000-8000-00000000000a";
const badIds = [
  "",
  "x",
  "5",
  5,
  {},
  [],
  true,
  uuid.replaceAll("-", ""),
  `{${uuid}}`,
  `${uuid}\n`,
  ` ${uuid}`,
  `${uuid}0`,
  "g".repeat(36),
];
const notObjects = [null, [], [{}], "x", "{}", 5, true];

/** Events that are refused with YD101, by what is wrong. */
const cases: Record<string, unknown[]> = {
  "an event is an object": [null, "x", 5, true, [], [{ type: "T" }]],
  "unknown keys; known are type, data, metadata, event_id, schema_version, occurred_at, tags, correlation_id, causation_id":
    [
      { type: "T", Data: {} },
      { type: "T", eventId: uuid },
      { type: "T", stream_id: "a-1" },
      { type: "T", "": 1 },
      { payload: {} },
    ],
  "type is a text of 1 to 255 characters": [
    {},
    { data: {} },
    ...[null, "", 5, true, {}, ["T"], "x".repeat(256)].map((type) => ({ type })),
  ],
  "data is an object": notObjects.map((data) => ({ type: "T", data })),
  "metadata is an object": notObjects.map((metadata) => ({ type: "T", metadata })),
  "event_id is a UUID": badIds.map((event_id) => ({ type: "T", event_id })),
  "correlation_id is a UUID": badIds.map((correlation_id) => ({ type: "T", correlation_id })),
  "causation_id is a UUID": badIds.map((causation_id) => ({ type: "T", causation_id })),
  "schema_version is a whole number from 1": [0, -1, 1.5, "1", true, {}, [1], 2147483648, 1e30].map(
    (schema_version) => ({
      type: "T",
      schema_version,
    }),
  ),
  "occurred_at is an ISO 8601 moment with its offset from UTC, such as 2026-11-21T09:30:00Z": [
    "",
    "now",
    "yesterday",
    "infinity",
    "2026-11-21",
    "2026-11-21T09:30:00",
    "2026-02-30T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-11-21T25:00:00Z",
    "2026-11-21T09:30:00+99:00",
    "21.11.2026 09:30:00Z",
    "2026-11-21T09:30:00 Europe/Berlin",
    1763717400,
    true,
    {},
  ].map((occurred_at) => ({ type: "T", occurred_at })),
  "tags is an array of texts": ["x", "{a}", 5, true, {}].map((tags) => ({ type: "T", tags })),
  "a tag is a text that is not empty": [[""], ["a", ""], [5], [null], [["a"]], [[]], [{}], [true]].map((tags) => ({
    type: "T",
    tags,
  })),
};

/** What the types of append_event's arguments leave of the cases. */
function canBeTyped(event: unknown): event is Row {
  if (typeof event !== "object" || event === null || Array.isArray(event)) return false;
  const [key, ...more] = Object.keys(event).filter((k) => k !== "type");
  const given = Object.entries(event).find(([k]) => k === key)?.[1];
  if ("type" in event && event.type !== null && typeof event.type !== "string") return false;
  if (more.length > 0 || key === undefined || key === "data" || key === "metadata") return true;
  if (key === "schema_version") return given === 0 || given === -1;
  if (key === "occurred_at") return given === "infinity";
  return (
    key === "tags" &&
    Array.isArray(given) &&
    given.length > 0 &&
    given.every((x) => x === null || typeof x === "string" || (Array.isArray(x) && x.length > 0))
  );
}

/** Appends a bad event, alone and among good ones, to a stream that is there and to a new one: what was not as it must be. */
async function complaints(way: Way, problem: string, bad: unknown): Promise<string[]> {
  const event = bad as Row;
  const found: string[] = [];
  for (const stream of ["there-1", "new-1"]) {
    for (const events of way.single ? [[event]] : [[event], [{ type: "Good" }, event, { type: "Good" }]]) {
      const index = events.indexOf(event);
      const result = await refusal("YD101", () => way.append(db, { stream, events }));
      const { detail } = "detail" in result ? result : { detail: {} };
      const asExpected = detail.index === index && String(detail.problem).startsWith(problem);
      if (!asExpected) found.push(`${JSON.stringify(bad)} as event ${index} of ${stream}: ${JSON.stringify(result)}`);
    }
  }
  return found;
}

for (const way of ways) {
  t.test(`${way.name}: bad events`, async (t) => {
    for (const [problem, events] of Object.entries(cases)) {
      const possible = way.single ? events.filter(canBeTyped) : events;
      await writesNothing(t, db, `${possible.length} events against: ${problem}`, async () => {
        const found: string[] = [];
        for (const event of possible) found.push(...(await complaints(way, problem, event)));
        t.same(found, [], problem);
      });
    }
  });
}

t.test("what PostgreSQL's own types refuse, before Daybook sees it", (t) =>
  writesNothing(t, db, "all", async () => {
    const entries = (event: string) => `[{"stream_id": "new-1", "events": [${event}]}]`;
    for (const [event, codes] of [
      [`{"type": "a\\u0000b"}`, ["22P05"]],
      [`{"type": "T", "data": {"a": "\\u0000"}}`, ["22P05"]],
      [`{"type": "T", "data": {"\\u0000": 1}}`, ["22P05"]],
      [`{"type": "T", "metadata": {"a": ["\\u0000"]}}`, ["22P05"]],
      [`{"type": "T", "tags": ["\\u0000"]}`, ["22P05"]],
      [`{"type": "T", "data": {"a": "\\ud800"}}`, ["22P02"]],
      [`{"type": "T", "data": {"a": NaN}}`, ["22P02"]],
      [`{"type": "T", "data": {"a": Infinity}}`, ["22P02"]],
      [`{"type": "T", "data": {"a": 1n}}`, ["22P02"]],
      [`{"type": "T", "data": undefined}`, ["22P02"]],
      [`{"type": "T"`, ["22P02"]],
      [`{"type": "T", "data": {"a": "\0"}}`, ["22021", "22P02"]],
    ] as const) {
      for (const [call, input] of [
        ["append('new-1', $1)", `[${event}]`],
        ["append_streams($1)", entries(event)],
        ["append_batch($1)", entries(event)],
      ]) {
        const { code } = await failure(() => db.query(`select daybook.${call}`, [input]));
        t.ok(
          codes.some((c) => c === code),
          `${call} of ${JSON.stringify(event)}: ${code}`,
        );
      }
    }
    const typed: [string, unknown[], string][] = [
      ["'new-1', $1", ["a\0b"], "22021"],
      ["$1, 'T'", ["new-\0"], "22021"],
      ["'new-1', 'T', $1", ['{"a": "\\u0000"}'], "22P05"],
      ["'new-1', 'T', '{}', $1", ['{"a": "\\u0000"}'], "22P05"],
      ["'new-1', 'T', $1", ['{"a": NaN}'], "22P02"],
      ["'new-1', 'T', $1", [""], "22P02"],
      ["'new-1', 'T', event_id => $1", ["no uuid"], "22P02"],
      ["'new-1', 'T', correlation_id => $1", ["no uuid"], "22P02"],
      ["'new-1', 'T', causation_id => $1", ["no uuid"], "22P02"],
      ["'new-1', 'T', schema_version => $1", ["1.5"], "22P02"],
      ["'new-1', 'T', occurred_at => $1", ["2026-02-30"], "22008"],
      ["'new-1', 'T', expected_version => $1", ["9223372036854775808"], "22003"],
    ];
    for (const [list, values, expected] of typed) {
      const { code } = await failure(() => db.query(`select daybook.append_event(${list})`, values));
      t.equal(code, expected, `append_event(${list}) of ${JSON.stringify(values[0])}`);
    }
  }),
);

t.test("moments as ISO 8601 writes them, and as timestamptz arguments of append_event in any time zone", async (t) => {
  const moments = [
    "2026-11-21T09:30:00Z",
    "2026-11-21 09:30:00.123456+05:30",
    "2026-11-21T09:30+0130",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+01",
    "9999-12-31T23:59:59.999999-08",
  ];
  for (const way of ways) {
    for (const occurred_at of moments) {
      const stream = `moment-${crypto.randomUUID()}`;
      await way.append(db, { stream, events: [{ type: "T", occurred_at }] });
      const { rows } = await db.query(
        "select occurred_at = $2::timestamptz as same from daybook.events where stream_id = $1",
        [stream, occurred_at],
      );
      t.same(rows, [{ same: true }], `${way.name}: ${occurred_at}`);
    }
  }
  // before railways, offsets had seconds
  await db.query("set timezone = 'Europe/Amsterdam'");
  await db.query("select daybook.append_event('moment-old', 'T', occurred_at => '1850-06-01 12:00:00+00')");
  const { rows } = await db.query(
    "select occurred_at = '1850-06-01 12:00:00+00' as same from daybook.events where stream_id = 'moment-old'",
  );
  t.same(rows, [{ same: true }]);
});
