import type { Test } from "tap";
import { append, type Db, streamVersion, toDb } from "../../../src/index.ts";
import type { DbSubject } from "./db-contract.ts";

const event = { type: "Happened", data: {} };

/** Rows of the application and its events commit together and go together, in transactions of either side. */
export async function checkTransactions(t: Test, subject: DbSubject): Promise<void> {
  const root = toDb(subject.db);
  await root.query("create table if not exists public.contract_rows (id text primary key)");
  const state = async (id: string) => ({
    rows: (await root.query("select from public.contract_rows where id = $1", [id])).length,
    version: await streamVersion(root, { streamId: `tx-${id}` }),
  });
  const none = { rows: 0, version: 0n };
  const both = { rows: 1, version: 1n };
  const write = async (tx: Db, id: string) => {
    await tx.query("insert into public.contract_rows values ($1)", [id]);
    await append(tx, { streamId: `tx-${id}`, events: event });
  };
  const failing = (id: string) => async (tx: Db) => {
    await write(tx, id);
    throw new Error("changed my mind");
  };

  await root.transaction((tx) => write(tx, "ours"));
  t.strictSame(await state("ours"), both, "committed together");
  await t.rejects(root.transaction(failing("not-ours")), { message: "changed my mind" });
  t.strictSame(await state("not-ours"), none, "rolled back together");

  await subject.driverTransaction(async (tx) => {
    await subject.insertRow(tx, "theirs");
    await append(tx, { streamId: "tx-theirs", events: event });
  });
  t.strictSame(await state("theirs"), both, "in the caller's own transaction: committed together");
  await t.rejects(
    subject.driverTransaction(async (tx) => {
      await subject.insertRow(tx, "not-theirs");
      await append(tx, { streamId: "tx-not-theirs", events: event });
      throw new Error("changed my mind");
    }),
    { message: "changed my mind" },
  );
  t.strictSame(await state("not-theirs"), none, "and rolled back together");

  await root.transaction(async (tx) => {
    await write(tx, "outer");
    await t.rejects(tx.transaction(failing("inner")), { message: "changed my mind" });
    await t.rejects(
      tx.transaction((inner) => append(inner, { streamId: "tx-outer", events: event, expectedVersion: 9 })),
      { name: "WrongExpectedVersionError" },
    );
    await tx.transaction((inner) => inner.transaction((innermost) => write(innermost, "innermost")));
  });
  t.strictSame(await state("outer"), both, "a savepoint that fails leaves the rest");
  t.strictSame(await state("inner"), none);
  t.strictSame(await state("innermost"), both);

  await subject.driverTransaction(async (tx) => {
    await toDb(tx).transaction((inner) => write(inner, "kept"));
    await t.rejects(toDb(tx).transaction(failing("dropped")), { message: "changed my mind" });
  });
  t.strictSame(
    [await state("kept"), await state("dropped")],
    [both, none],
    "savepoints in the caller's own transaction",
  );
  await checkMisuse(t, root, write, state);
}

async function checkMisuse(
  t: Test,
  root: Db,
  write: (tx: Db, id: string) => Promise<void>,
  state: (id: string) => Promise<object>,
): Promise<void> {
  const swallowed = root.transaction(async (tx) => {
    await write(tx, "swallowed");
    await tx.query("select 1 / 0").catch(() => undefined);
  });
  await t.rejects(swallowed, { code: "22012" }, "an error that was swallowed is not lost: nothing was committed");
  t.strictSame(await state("swallowed"), { rows: 0, version: 0n });

  const ended = await root.transaction(async (tx) => {
    const first = tx.transaction((inner) => inner.query("select pg_sleep(0.01)"));
    await t.rejects(
      tx.transaction(async () => undefined),
      { message: /one nested transaction at a time/ },
    );
    await first;
    return tx;
  });
  await t.rejects(ended.query("select 1"), { message: /has ended/ }, "a transaction that has ended takes nothing more");
  await t.rejects(
    ended.transaction(async () => undefined),
    { message: /has ended/ },
  );
}
