import t from "tap";
import { testDatabase } from "../support/database.ts";
import { connect, failure, inTransaction, refused, rows, value, writesNothing } from "./support.ts";
import { type Way, ways, waysForMany } from "./ways.ts";

const database = await testDatabase(t);
const db = await connect(t, database.url);
const payload = [{ type: "Placed", data: { total: 5 }, tags: ["b:2", "a:1"] }];

for (const way of ways) {
  t.test(`${way.name}: the same key gives the first result and writes nothing`, async (t) => {
    const input = { stream: `key ${way.name}-1`, events: payload, key: "k-1" };
    const first = await way.append(db, { ...input, expected: 0 });
    t.equal(first.duplicate, false);
    await db.query("select daybook.append_event($1, 'SomethingElse')", [input.stream]);
    await writesNothing(t, db, "again", async () => {
      for (const expected of [undefined, null, 0, 7, -1]) {
        const again = await way.append(db, expected === undefined ? input : { ...input, expected });
        t.same(again, { ...first, duplicate: true }, `expecting ${expected}`);
      }
    });
  });

  t.test(`${way.name}: a retry through any other way is recognised`, async (t) => {
    const input = { stream: `across ${way.name}-1`, events: payload, key: "k-1" };
    const first = await way.append(db, input);
    for (const other of ways) t.same(await other.append(db, input), { ...first, duplicate: true }, other.name);
  });

  t.test(`${way.name}: ids, times and metadata may differ, the payload may not`, async (t) => {
    const input = { stream: `payload ${way.name}-1`, key: "k-1" };
    const event = { type: "Placed", data: { total: 5 }, tags: ["a:1"], schema_version: 1 };
    await way.append(db, { ...input, events: [event] });
    const same = {
      ...event,
      metadata: { attempt: 2 },
      event_id: crypto.randomUUID(),
      occurred_at: "2020-01-01T00:00:00Z",
    };
    t.match(await way.append(db, { ...input, events: [same] }), { duplicate: true });
    await writesNothing(t, db, "other payloads", async () => {
      for (const other of [
        { type: "Paid" },
        { data: { total: 6 } },
        { data: {} },
        { tags: ["c:3"] },
        { tags: null },
        { schema_version: 2 },
      ]) {
        const detail = await refused(t, "YD002", JSON.stringify(other), () =>
          way.append(db, { ...input, events: [{ ...event, ...other }] }),
        );
        t.match(detail, { stream_id: input.stream, idempotency_key: "k-1", stream_version: 1 });
      }
    });
  });

  t.test(`${way.name}: keys belong to their stream and tenant`, async (t) => {
    const input = { stream: `scope ${way.name}-1`, events: payload, key: "k-1" };
    for (const other of [{}, { stream: `scope ${way.name}-2` }, { tenant: "other" }, { key: "k-2" }]) {
      t.equal((await way.append(db, { ...input, ...other })).duplicate, false, JSON.stringify(other));
    }
  });

  t.test(`${way.name}: an exact version and the same event_ids give the first result`, async (t) => {
    const input = {
      stream: `ids ${way.name}-1`,
      expected: 0,
      events: [{ type: "Placed", event_id: crypto.randomUUID() }],
    };
    const first = await way.append(db, input);
    const second = await way.append(db, {
      ...input,
      expected: 1,
      events: [{ type: "Paid", event_id: crypto.randomUUID() }],
    });
    t.match([first.duplicate, second.version], [false, 2]);
    const shouted = input.events.map((e) => ({ ...e, event_id: e.event_id.toUpperCase() }));
    await writesNothing(t, db, "the retry", async () => {
      t.same(await way.append(db, input), { ...first, duplicate: true });
      t.same(await way.append(db, { ...input, events: shouted }), { ...first, duplicate: true }, "in capitals");
      for (const [why, other] of Object.entries({
        "another id": { events: [{ type: "Placed", event_id: crypto.randomUUID() }] },
        "another version": { expected: 1 },
        "no id": { events: [{ type: "Placed" }] },
        "more events than there are": { expected: 2 },
      })) {
        if (why !== "more events than there are") {
          await refused(t, "YD001", why, () => way.append(db, { ...input, ...other }));
        }
      }
    });
    t.equal(
      (await way.append(db, { ...input, expected: null })).duplicate,
      false,
      "with any version it is a new append",
    );
  });

  t.test(`${way.name}: a key is forgotten with the transaction that rolls back`, async (t) => {
    const input = { stream: `undone ${way.name}-1`, events: payload, key: "k-1" };
    const client = await connect(t, database.url);
    await failure(() =>
      inTransaction(client, async () => {
        await way.append(client, input);
        await client.query("select 1 / 0");
      }),
    );
    t.match(await way.append(db, input), { duplicate: false, version: 1 });
  });
}

for (const way of waysForMany) {
  t.test(`${way.name}: a retry of several events, and of a part of them`, async (t) => {
    const events = ["A", "B", "C"].map((type) => ({ type, event_id: crypto.randomUUID() }));
    const input = { stream: `several ${way.name}-1`, expected: 0, events };
    const first = await way.append(db, input);
    await way.append(db, { ...input, expected: 3, events: [{ type: "D" }] });
    t.same(await way.append(db, input), { ...first, duplicate: true });
    t.match(await way.append(db, { ...input, events: events.slice(0, 2) }), {
      version: 2,
      first: first.first,
      last: first.first + 1,
      duplicate: true,
    });
    await refused(t, "YD001", "in another order", () => way.append(db, { ...input, events: events.toReversed() }));
    await refused(t, "YD001", "and one more", () =>
      way.append(db, { ...input, events: [...events, { type: "E", event_id: crypto.randomUUID() }] }),
    );
    await refused(t, "YD001", "one without its id", () =>
      way.append(db, { ...input, events: [...events.slice(0, 2), { type: "C" }] }),
    );
  });
}

t.test("keys are kept for settings.idempotency_retention", async (t) => {
  const aged = async (way: Way, age: string) => {
    const input = { stream: `aged ${way.name}-${crypto.randomUUID()}`, events: payload, key: "k-1" };
    await way.append(db, input);
    await db.query(
      "update daybook.idempotency_keys k set created_at = created_at - $2::interval from daybook.stream_heads h where h.stream_key = k.stream_key and h.stream_id = $1",
      [input.stream, age],
    );
    return input;
  };
  for (const way of ways) {
    t.equal((await way.append(db, await aged(way, "6 days 23:59"))).duplicate, true, `${way.name}: remembered`);
    const old = await aged(way, "7 days 00:01");
    t.match(
      await way.append(db, { ...old, events: [{ type: "Other" }] }),
      { duplicate: false, version: 2 },
      `${way.name}: forgotten`,
    );
    t.match(
      await way.append(db, { ...old, events: [{ type: "Other" }] }),
      { duplicate: true, version: 2 },
      `${way.name}: and known anew`,
    );
  }

  const [way] = ways;
  if (way === undefined) throw new Error("no way");
  await db.query("select daybook.configure('idempotency_retention', '1 hour')");
  t.equal((await way.append(db, await aged(way, "61 minutes"))).duplicate, false, "configured");
  const young = await aged(way, "59 minutes");
  for (let n = 0; n < 3; n++) await aged(way, "2 hours");
  const before = Number(await value(db, "select count(*) from daybook.idempotency_keys"));
  t.equal(await value(db, "select daybook.forget_idempotency_keys(2)"), 2, "forgotten in portions");
  const rest = Number(await value(db, "select daybook.forget_idempotency_keys()"));
  t.equal(await value(db, "select count(*) from daybook.idempotency_keys"), before - 2 - rest);
  t.same(
    await rows(db, "select from daybook.idempotency_keys where created_at < clock_timestamp() - interval '1 hour'"),
    [],
    "none that is too old is left",
  );
  t.equal((await way.append(db, young)).duplicate, true, "a young one is left");
});
