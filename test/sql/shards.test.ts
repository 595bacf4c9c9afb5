import t from "tap";
import {
  append,
  batch,
  claim,
  consumerStore,
  fail,
  finish,
  finishParked,
  handler,
  makeDue,
  positions,
} from "./drains.ts";
import { type Row, rows, value } from "./support.ts";

t.test(
  "shards split the streams, each with a position of its own; every shard of a stream's is the same one",
  async (t) => {
    const { worker, writer, admin } = await consumerStore(t);
    const streams = Array.from({ length: 40 }, (_, i) => `a-${i}`);
    await append(writer, [...streams, ...streams]);
    await worker.query("select daybook.create_handler('h', shards => 4)");
    const seen: Row[][] = [];
    for (const shard of [0, 1, 2, 3]) seen.push((await batch(worker, { name: "h", shard, shards: 4 })) ?? []);
    t.same(
      seen
        .flat()
        .map((e) => e.position)
        .sort((a, b) => Number(a) - Number(b)),
      Array.from({ length: 80 }, (_, i) => i + 1),
    );
    t.equal(new Set(seen.flatMap((events, shard) => events.map((e) => `${e.stream_id} ${shard}`))).size, 40);
    t.ok(
      seen.every((events) => events.length >= 8),
      `spread: ${seen.map((s) => s.length).join(", ")}`,
    );
    t.match(await handler(admin, "h"), { shards: 4, position: 80 });
    for (const n of [2, 3, 128])
      t.ok(
        Number(
          await value(admin, "select count(distinct daybook._shard('s-' || i, $1)) from generate_series(1, 2000) i", [
            n,
          ]),
        ) === n,
        `routes: all ${n} by the name of the stream`,
      );
  },
);

t.test("1 to 4 to 2: the shards come to one position first, then there are others", async (t) => {
  const { worker, other, writer, admin } = await consumerStore(t);
  await append(
    writer,
    Array.from({ length: 12 }, (_, i) => `a-${i}`),
  );
  await worker.query("select daybook.create_handler('h')");
  await batch(worker, { name: "h", max: 5 });
  await worker.query("begin");
  await claim(worker, { name: "h" });
  t.equal(await value(other, "select daybook.create_handler('h', shards => 4)"), false, "waits for nobody");
  t.match(await rows(other, "select * from daybook.due_consumers(12, 12)"), [
    { shard: 0, shard_count: 1, reason: "shards" },
  ]);
  t.same(await batch(other, { name: "h" }), undefined);
  t.match(await handler(admin, "h"), { shards: 1, shards_wanted: 4 });
  await finish(worker, { name: "h" }, 5, 7);
  await worker.query("commit");
  t.same(await batch(worker, { name: "h" }), undefined, "who comes next changes them, and handles nothing");
  t.match(await handler(admin, "h"), { shards: 4, shards_wanted: null, position: 7 });
  t.same(await batch(worker, { name: "h" }), undefined, "the old layout is nobody's any more");

  const first = [];
  for (const shard of [0, 1]) first.push(...((await batch(worker, { name: "h", shard, shards: 4 })) ?? []));
  await worker.query("select daybook.create_handler('h', shards => 2)");
  await append(
    writer,
    Array.from({ length: 8 }, (_, i) => `a-${i}`),
  );
  t.same(await batch(worker, { name: "h", shard: 0, shards: 4 }), undefined, "the farthest wait");
  t.same(
    (await rows(worker, "select * from daybook.due_consumers(12, 20, 12)")).map((d) => `${d.shard} ${d.reason}`),
    ["2 behind", "3 behind"],
  );
  for (const shard of [2, 3]) {
    const events = await batch(worker, { name: "h", shard, shards: 4 });
    t.ok(
      events?.every((e) => Number(e.position) <= 12),
      "up to where the farthest are, and no further",
    );
    first.push(...(events ?? []));
  }
  t.same(
    first.map((e) => e.position).sort((a, b) => Number(a) - Number(b)),
    [8, 9, 10, 11, 12],
  );
  await value(worker, "select daybook.move_idle_consumers(12, 12)");
  t.match(await handler(admin, "h"), { shards: 2, position: 12 });
  const rest = [];
  for (const shard of [0, 1]) rest.push(...((await batch(worker, { name: "h", shard, shards: 2 })) ?? []));
  t.equal(rest.length, 8);
});

t.test("streams that are parked go with their shard", async (t) => {
  const { worker, writer, owner } = await consumerStore(t);
  await append(
    writer,
    Array.from({ length: 10 }, (_, i) => `a-${i}`),
  );
  await worker.query("select daybook.create_handler('h')");
  const events = await rows(worker, "select * from daybook.read_events_for('h', 0, 10)");
  for (const event of events) await fail(worker, "h", 0, event);
  t.same(positions(await batch(worker, { name: "h" })), []);
  await worker.query("select daybook.create_handler('h', shards => 3)");
  t.same(await batch(worker, { name: "h" }), undefined);
  await makeDue(owner);
  const seen: unknown[] = [];
  for (const shard of [0, 1, 2]) {
    await worker.query("begin");
    for (const parked of await rows(worker, "select * from daybook.claim_parked('handler', 'h', $1, 3, 10)", [shard])) {
      seen.push(parked.position);
      await finishParked(worker, "h", String(parked.stream_id), parked.position, parked.through);
    }
    await worker.query("commit");
  }
  t.same(
    seen.sort((a, b) => Number(a) - Number(b)),
    positions(events),
  );
  t.same(await rows(worker, "select * from daybook.parked"), []);
});
