import t from "tap";
import {
  AppendOutcomeUnknownError,
  append,
  ConnectionLostError,
  createAppender,
  createEvent,
  type Db,
  type NewEvent,
  type QueryOptions,
  readStream,
} from "../../src/index.ts";
import { failureOf } from "../../src/store/appender/failure.ts";
import { testDatabase } from "../support/database.ts";

/* What becomes of calls when the connection is lost with the answer, before it was sent, or cannot be had. */

const { db } = await testDatabase(t);
const event: NewEvent = { type: "Taken", data: {} };
const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const lost = () => new ConnectionLostError("Connection terminated unexpectedly");
const refused = () =>
  Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:5432"), { code: "ECONNREFUSED", syscall: "connect" });

type Fault = "none" | "before" | "after" | "down";

/** The database, with something going wrong in each statement as told. */
function faulty(faults: readonly Fault[]): Db & { asked: number } {
  const made = {
    asked: 0,
    async query<R>(text: string, values?: readonly unknown[], options?: QueryOptions): Promise<R[]> {
      const fault = faults[made.asked] ?? "none";
      made.asked += 1;
      if (fault === "down") throw refused();
      if (fault === "before") throw lost();
      const rows = await db.query<R>(text, values, options);
      if (fault === "after") throw lost();
      return rows;
    },
    transaction: db.transaction,
  };
  return made;
}

const kinds = [
  { name: "key", extra: { idempotencyKey: "k" }, isRepeated: true },
  { name: "exact", extra: { expectedVersion: "none" as const }, isRepeated: true },
  { name: "any", extra: {}, isRepeated: false },
  { name: "exists", extra: { expectedVersion: "exists" as const }, isRepeated: false },
];

for (const fault of ["before", "after"] as const) {
  for (const together of [true, false]) {
    const name = `lost ${fault} it was written, ${together ? "in a batch" : "alone"}`;
    t.test(`${name}: what is safe to repeat is written once, the rest is told`, async (t) => {
      for (const kind of together ? [kinds] : kinds.map((one) => [one])) {
        const target = faulty([fault]);
        await using appender = createAppender(target, { batchesInFlight: 1 });
        const streamId = (one: { name: string }) => `lost-${fault}-${together}-${one.name}`;
        for (const { name } of kind) {
          if (name === "exists") await append(db, { streamId: streamId({ name }), events: event });
        }
        const calls = kind.map((one) => appender.append({ streamId: streamId(one), events: event, ...one.extra }));
        const outcomes = await Promise.allSettled(calls);
        for (const [i, one] of kind.entries()) {
          const written = (await readStream(db, { streamId: streamId(one) })).length;
          if (one.isRepeated) {
            t.match(
              outcomes[i],
              { status: "fulfilled", value: { streamVersion: 1n, duplicate: fault === "after" } },
              one.name,
            );
            t.equal(written, 1);
          } else {
            t.match(outcomes[i], {
              reason: { name: "AppendOutcomeUnknownError", detail: { stream_id: streamId(one) } },
            });
            t.equal(written, (fault === "after" ? 1 : 0) + (one.name === "exists" ? 1 : 0));
          }
        }
      }
    });
  }
}

t.test("the ids a caller gave are kept when an append is repeated", async (t) => {
  const created = createEvent(event);
  await using appender = createAppender(faulty(["after", "before", "down"]));
  const result = await appender.append({ streamId: "ids-1", events: created, expectedVersion: 0 });
  t.match(result, { streamVersion: 1n, duplicate: true });
  t.match(await readStream(db, { streamId: "ids-1" }), [{ eventId: created.eventId }]);
});

t.test("no connection: nothing was written, the callers are told, and the next calls pass", async (t) => {
  const target = faulty(["down"]);
  await using appender = createAppender(target, { batchesInFlight: 1 });
  const calls = range(5).map((i) => appender.append({ streamId: `down-${i}`, events: event, idempotencyKey: "k" }));
  for (const outcome of await Promise.allSettled(calls)) t.match(outcome, { reason: { code: "ECONNREFUSED" } });
  t.equal(target.asked, 1);
  t.match(await appender.append({ streamId: "down-1", events: event }), { streamVersion: 1n });
});

t.test("once an outcome is lost, it stays unknown until the repeat says so, or maxWait has passed", async (t) => {
  await using patient = createAppender(faulty(["before", "down", "down"]));
  t.match(await patient.append({ streamId: "later-1", events: event, idempotencyKey: "k" }), { streamVersion: 1n });
  const always = faulty(range(100).map((i) => (i === 0 ? "before" : "down")));
  await using hasty = createAppender(always, { maxWait: 200 });
  await t.rejects(hasty.append({ streamId: "later-2", events: event, idempotencyKey: "k" }), {
    name: "AppendOutcomeUnknownError",
    cause: { code: "ECONNREFUSED" },
  });
  t.ok(always.asked > 2 && always.asked < 20, `${always.asked} tries`);
});

t.test("calls behind a lost one keep their order", async (t) => {
  await using appender = createAppender(faulty(["after"]), { batchesInFlight: 2 });
  const calls = range(6).map((n) =>
    appender.append({ streamId: "lost-order-1", events: { type: "T", data: { n } }, idempotencyKey: `k${n}` }),
  );
  await Promise.all(calls);
  t.same(
    (await readStream(db, { streamId: "lost-order-1" })).map((stored) => stored.data.n),
    range(6),
  );
});

t.test("a backend that is killed", async (t) => {
  await using appender = createAppender(db);
  await db.query(`create function die() returns trigger language plpgsql as
    $$ begin perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(1); return new; end $$`);
  await db.query(
    "create trigger die before insert on daybook.event_log for each row when (new.type = 'Dies') execute function die()",
  );
  await t.rejects(
    appender.append({ streamId: "killed-1", events: { type: "Dies", data: {} } }),
    AppendOutcomeUnknownError,
  );
  t.match(await appender.append({ streamId: "killed-1", events: event }), { streamVersion: 1n });
});

t.test("what errors say of what was sent", async (t) => {
  const coded = (code: string, extra = {}) => Object.assign(new Error(code), { code, ...extra });
  const cases = [
    [coded("YD001"), "refused"],
    [coded("23505"), "refused"],
    [coded("40P01"), "refused"],
    [coded("57014"), "refused"],
    [coded("P0001"), "refused"],
    [coded("ABCDE", { severity: "ERROR" }), "refused"],
    [coded("55P03"), "locked"],
    [coded("08006"), "unknown"],
    [coded("08003"), "unknown"],
    [coded("57P01"), "unknown"],
    [coded("EPIPE"), "unknown"],
    [coded("ECONNRESET", { syscall: "read" }), "unknown"],
    [coded("ETIMEDOUT", { syscall: "read" }), "unknown"],
    [lost(), "unknown"],
    [new Error("timeout exceeded when trying to connect"), "unknown"],
    ["a text", "unknown"],
    [undefined, "unknown"],
    [refused(), "down"],
    [coded("ETIMEDOUT", { syscall: "connect" }), "down"],
    [coded("ENOTFOUND", { syscall: "getaddrinfo" }), "down"],
    [new AggregateError([refused()], "no address answers", { cause: refused() }), "down"],
    [coded("08001"), "down"],
    [coded("28P01"), "down"],
    [coded("3D000"), "down"],
    [coded("42501"), "down"],
    [coded("53300"), "down"],
    [coded("57P03"), "down"],
    [coded("25006"), "down"],
    [coded("YD902"), "down"],
    [new Error("wrapped", { cause: coded("23505") }), "refused"],
  ] as const;
  for (const [error, failure] of cases) t.equal(failureOf(error), failure, String(error));
});
