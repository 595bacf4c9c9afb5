import type { Test } from "tap";
import {
  AppendOnlyError,
  append,
  appendStreams,
  type Db,
  IdempotencyKeyReusedError,
  InvalidArgumentError,
  InvalidEventError,
  InvalidStreamIdError,
  isRetriable,
  TenantNarrowedError,
  toDb,
  WrongExpectedVersionError,
} from "../../../src/index.ts";
import type { DbSubject } from "./db-contract.ts";

/** What Daybook refuses comes as its classes; any other error as the driver has it, with its SQLSTATE. */
export async function checkErrors(t: Test, { db }: DbSubject): Promise<void> {
  const root = toDb(db);
  // each in a transaction, or savepoint, of its own
  const rejects = async (
    work: (tx: Db) => Promise<unknown>,
    type: new (...facts: never) => Error,
    expected: object,
    name: string,
  ) => {
    const error = await root.transaction(work).then(
      () => "nothing",
      (thrown: unknown) => thrown,
    );
    t.ok(error instanceof type, `${name}: ${type.name}`);
    t.match(error, expected, `${name}: with its particulars`);
  };

  const event = { type: "Happened", data: {} };
  await append(db, { streamId: "errors-1", events: [event, event], idempotencyKey: "key" });
  const conflicts = (...list: [string, bigint, bigint][]) =>
    list.map(([streamId, expected, actual]) => ({ tenantId: "default", streamId, expected, actual }));

  await rejects(
    (tx) => append(tx, { streamId: "errors-1", events: event, expectedVersion: 1 }),
    WrongExpectedVersionError,
    { code: "YD001", retriable: true, conflicts: conflicts(["errors-1", 1n, 2n]), hint: /read/ },
    "a conflict",
  );
  await rejects(
    (tx) =>
      appendStreams(tx, {
        appends: [
          { streamId: "errors-1", events: [event], expectedVersion: "none" },
          { streamId: "errors-2", events: [event], expectedVersion: "exists" },
        ],
      }),
    WrongExpectedVersionError,
    { conflicts: conflicts(["errors-1", 0n, 2n], ["errors-2", -1n, 0n]) },
    "every conflict of a call",
  );
  await rejects(
    (tx) => append(tx, { streamId: "errors-1", events: event, idempotencyKey: "key" }),
    IdempotencyKeyReusedError,
    { detail: { idempotency_key: "key" }, retriable: false },
    "a key with another payload",
  );
  await rejects(
    (tx) => tx.query(`select daybook.append('errors-1', '[{"type": "A"}, {"type": ""}]')`),
    InvalidEventError,
    { detail: { index: 1 }, hint: /\w/, cause: { code: "YD101" } },
    "an event without a type",
  );
  await rejects((tx) => tx.query("select daybook.append_event('', 'A')"), InvalidStreamIdError, {}, "no stream");
  await rejects(
    (tx) => tx.query("select daybook.read_stream('a', max_count => 0)"),
    InvalidArgumentError,
    {},
    "no count",
  );
  await rejects(
    async (tx) => {
      await tx.query("set local daybook.tenant = 'one'");
      await tx.query("select daybook.append_event('errors-1', 'A', tenant_id => 'two')");
    },
    TenantNarrowedError,
    { detail: { tenant_id: "two", narrowed_to: "one" } },
    "another tenant",
  );
  await rejects((tx) => tx.query("delete from daybook.event_log"), AppendOnlyError, { code: "YD301" }, "a deletion");
  await rejects((tx) => tx.query("select 1 / 0"), Error, { code: "22012" }, "an error that is none of ours");
  await t.rejects(
    root.transaction((tx) => tx.query("select 1; select 2")),
    "two statements in one",
  );

  const error: unknown = await root
    .transaction((tx) => append(tx, { streamId: "errors-1", events: event, expectedVersion: 9 }))
    .catch((thrown) => thrown);
  t.equal(isRetriable(error), true);
}
