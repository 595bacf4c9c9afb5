import t from "tap";
import { createEvent } from "../../src/index.ts";

t.test("gives an event its id and its time, and keeps those it has", async (t) => {
  const before = Date.now();
  const event = createEvent({ type: "PatientCalled", data: { room: 4 }, tags: ["a"] });
  t.match(event, { type: "PatientCalled", data: { room: 4 }, tags: ["a"] });
  t.match(event.eventId, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const milliseconds = Number.parseInt(event.eventId.replaceAll("-", "").slice(0, 12), 16);
  for (const time of [milliseconds, event.occurredAt.getTime()]) t.ok(time >= before && time <= Date.now());
  t.strictSame(createEvent(event), event);
});

t.test("ids are sorted by their milliseconds, and each is another", async (t) => {
  const ids: string[] = [];
  for (let i = 0; i < 5; i += 1) {
    ids.push(createEvent({ type: "T", data: {} }).eventId);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  t.same(ids.toSorted(), ids);
  const many = Array.from({ length: 10_000 }, () => createEvent({ type: "T", data: {} }).eventId);
  t.equal(new Set(many).size, many.length);
});

t.test("takes less than 0.1 ms", async (t) => {
  const data = {
    patient: "01936a7e-0000-7000-8000-000000000001",
    room: 4,
    items: [{ name: "ECG", price: 12.5 }],
    note: "ä",
  };
  const metadata = { user: "nurse-7", source: "desk" };
  const times: number[] = [];
  for (let i = 0; i < 5_000; i += 1) {
    const start = performance.now();
    createEvent({ type: "PatientCheckedIn", data, metadata, tags: ["patient:7"] });
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  const median = times[2_500] ?? Number.POSITIVE_INFINITY;
  t.ok(median < 0.1, `median ${median.toFixed(4)} ms`);
});
