import type { Test } from "tap";
import { append, type DbLike, defineHandler, drainHandler, registerHandler, toDb } from "../../src/index.ts";
import { throughEveryDriver } from "../support/drivers.ts";

/** The same through every driver: one event fails and is parked, the others are done. */
async function check(t: Test, db: DbLike): Promise<void> {
  await toDb(db).query("create table seen (stream text)");
  const handler = defineHandler({
    name: "h",
    subscribesTo: ["*"],
    retry: { baseDelay: 60_000 },
    async handle({ streamId }, { tx }) {
      await tx.query("insert into seen values ($1)", [streamId]);
      if (streamId === "bad-1") await tx.query("select 1 / 0").catch(() => undefined);
    },
  });
  await registerHandler(db, handler);
  for (const streamId of ["a-1", "bad-1", "b-1"]) await append(db, { streamId, events: { type: "Tested", data: {} } });
  t.same(await drainHandler(db, handler), { handled: 2, more: false, outcome: "dry" });
  t.same(await toDb(db).query("select stream from seen order by stream"), [{ stream: "a-1" }, { stream: "b-1" }]);
  t.same(await toDb(db).query("select stream_id, error ->> 'code' as code from daybook.parked"), [
    { stream_id: "bad-1", code: "22012" },
  ]);
}

throughEveryDriver(check);
