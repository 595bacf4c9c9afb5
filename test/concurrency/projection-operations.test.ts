import t from "tap";
import { journalled } from "./support/projection-journal.ts";
import { endedOrBlocked, endsAlone } from "./support/sessions.ts";

/*
 * An inline projection is paused, resumed, rebuilt and read while others append, and by several at once.
 */

const { owner, before, after, switcher, append, switchTo, rebuilt, isWhole } = await journalled(t);

t.test("paused and resumed with appends in flight: nothing lost, nothing twice", async (t) => {
  await before.rows("begin");
  t.equal(await append(before, "s-0"), "ok");
  t.equal(
    await switcher.outcome("select daybook.pause_projection('journal')"),
    "55P03",
    "somebody appends for too long",
  );
  await before.rows("commit");
  await switcher.rows("begin; select daybook.pause_projection('journal')");
  const waiting = append(after, "s-1");
  t.equal(await endedOrBlocked(owner, after, [switcher], waiting), "blocked");
  await switcher.rows("commit");
  t.equal(await waiting, "ok", "and is not applied");
  await before.rows("begin");
  t.equal(await append(before, "s-2"), "ok");
  await switcher.rows("select daybook.resume_projection('journal')");
  t.equal(await switchTo("journal"), "waiting", "it has come to the horizon, below the one in flight");
  await before.rows("commit");
  t.equal(await switchTo("journal"), "switched");
  t.equal(await append(after, "s-2"), "ok");
  await isWhole(t);
});

t.test("a transaction of an older snapshot that was begun before pause and resume must begin again", async (t) => {
  await after.rows("begin isolation level repeatable read; select count(*) from daybook.events");
  await switcher.rows("select daybook.pause_projection('journal')");
  t.equal(await append(before, "s-0"), "ok");
  await switcher.rows("select daybook.resume_projection('journal')");
  t.equal(await switchTo("journal"), "switched");
  t.equal(await append(after, "s-1"), "40001");
  await after.rows("rollback");
  await isWhole(t);
});

t.test("who reads the view for long holds the switch back, and nobody behind for longer than it waits", async (t) => {
  const next = await rebuilt();
  await before.rows("begin; select count(*) from daybook_projections.journal");
  t.equal(await switchTo(next), "waiting");
  t.ok(await endsAlone(owner, after, [before], append(after, "s-0")));
  await before.rows("commit");
  t.equal(await switchTo(next), "switched");
  await isWhole(t);
});

t.test("two rebuilds at once: the second is told; two who build the same version: one does", async (t) => {
  await before.rows("begin");
  const version = await before.value<number>("select daybook.rebuild_projection('journal')");
  const second = after.outcome("select daybook.rebuild_projection('journal')");
  t.equal(await endedOrBlocked(owner, after, [before], second), "blocked");
  await before.rows("commit");
  t.equal(await second, "YD605");
  await before.rows("begin");
  t.match(await before.rows("select * from daybook.advance_projection($1, 3)", [`journal@${version}`]), [
    { outcome: "more" },
  ]);
  t.match(await after.rows("select * from daybook.advance_projection($1, 3)", [`journal@${version}`]), [
    { outcome: "busy", handled: 0 },
  ]);
  const dropping = after.outcome("select daybook.drop_rebuild('journal')");
  t.equal(await endedOrBlocked(owner, after, [before], dropping), "blocked", "dropping it waits for the batch in hand");
  await before.rows("commit");
  t.equal(await dropping, "ok");
  t.equal(await before.outcome("select * from daybook.advance_projection($1)", [`journal@${version}`]), "YD601");
  await isWhole(t);
});
