import t from "tap";
import { WAYS } from "./support/calls.ts";
import { journalled } from "./support/projection-journal.ts";
import { endedOrBlocked } from "./support/sessions.ts";

/*
 * An inline projection whose rows tell of the order in which they were written is switched to its next version while
 * appends are in flight on either side. No event may be missing from it, be there twice or come out of order.
 */

const LEVELS = ["read committed", "repeatable read", "serializable"] as const;
const { owner, before, after, late, switcher, append, switchTo, rebuilt, isWhole } = await journalled(t);

for (const level of LEVELS) {
  t.test(
    `${level}: an append that sits uncommitted before the switch holds it back, and is in both versions`,
    async (t) => {
      const next = await rebuilt();
      await before.rows(`begin isolation level ${level}`);
      t.equal(await append(before, "s-0"), "ok");
      t.equal(await switchTo(next), "waiting");
      t.match(
        await owner.value("select building_reason from daybook.projections where name = 'journal'"),
        /appends takes longer/,
      );
      t.equal(await append(after, "s-1"), "ok", "others append meanwhile");
      await before.rows("commit");
      t.equal(await switchTo(next), "switched");
      t.equal(await append(after, "s-0"), "ok");
      await isWhole(t);
    },
  );

  t.test(
    `${level}: an append that comes while the switch is uncommitted waits, and goes to the new version`,
    async (t) => {
      const next = await rebuilt();
      await switcher.rows("begin");
      t.equal(await switchTo(next), "switched");
      await after.rows(`begin isolation level ${level}`);
      const waiting = append(after, "s-0");
      t.equal(await endedOrBlocked(owner, after, [switcher], waiting), "blocked");
      await switcher.rows("commit");
      // its snapshot is older than the version: it must begin again, as with any row that has changed since
      t.equal(await waiting, level === "read committed" ? "ok" : "40001");
      await after.rows(level === "read committed" ? "commit" : "rollback");
      t.equal(await append(after, "s-0"), "ok");
      await isWhole(t);
    },
  );

  t.test(`${level}: a transaction that has begun before the switch and appends after it`, async (t) => {
    const next = await rebuilt();
    await after.rows(`begin isolation level ${level}`);
    await after.rows("select count(*) from daybook.events");
    t.equal(await switchTo(next), "switched");
    t.equal(await append(after, "s-2"), level === "read committed" ? "ok" : "40001");
    await after.rows(level === "read committed" ? "commit" : "rollback");
    await isWhole(t);
  });

  t.test(`${level}: one on each side at once, and others behind them`, async (t) => {
    const next = await rebuilt();
    await before.rows(`begin isolation level ${level}`);
    t.equal(await append(before, "s-0"), "ok");
    const tried = switchTo(next);
    await after.rows(`begin isolation level ${level}`);
    // it may have to queue behind the switch; not for longer than the switch itself waits
    t.equal(await append(after, "s-1"), "ok");
    t.equal(await tried, "waiting");
    await before.rows(level === "serializable" ? "rollback" : "commit");
    t.equal(await switchTo(next), "waiting");
    await after.rows("commit");
    await switcher.rows("begin");
    t.equal(await switchTo(next), "switched");
    const [first, second] = [append(after, "s-0"), append(late, "s-1")];
    t.equal(await endedOrBlocked(owner, after, [switcher], first), "blocked");
    t.equal(await endedOrBlocked(owner, late, [switcher], second), "blocked");
    await switcher.rows("rollback");
    t.same(
      await Promise.all([first, second]),
      ["ok", "ok"],
      "a switch that is rolled back: they go to the old version",
    );
    t.equal(await switchTo(next), "switched");
    await isWhole(t);
  });
}

t.test(
  "a transaction, however long, has others wait once: the switch is not tried again before it has ended",
  async (t) => {
    const next = await rebuilt();
    const tryAgain = async () => {
      await owner.rows("update daybook.projection_versions set switch_at = null");
      return switcher.value<string>("select outcome from daybook.advance_projection($1)", [next]);
    };
    await before.rows("begin");
    await append(before, "s-0");
    t.equal(await tryAgain(), "waiting");
    const attempts = () => owner.value("select attempts from daybook.projection_versions where stage = 'building'");
    t.equal(await attempts(), 1);
    for (let i = 0; i < 3; i += 1) t.equal(await tryAgain(), "waiting");
    t.equal(await attempts(), 1, "it did not ask for the lock");
    await before.rows("commit");
    t.equal(await tryAgain(), "switched");
    await isWhole(t);
  },
);

t.test("what is appended while the switch waits is in both versions", async (t) => {
  const next = await rebuilt();
  let outcome = "waiting";
  // it waits for 100 ms only: on a busy machine it may be over before the other goes on
  for (let i = 0; i < 100 && outcome === "waiting"; i += 1) {
    await before.rows("begin");
    await append(before, "s-0");
    const tried = switchTo(next);
    if ((await endedOrBlocked(owner, switcher, [before], tried)) === "blocked") await append(before, "s-1");
    await before.rows("commit");
    outcome = await tried;
  }
  t.equal(outcome, "switched");
  await isWhole(t);
});

for (const { name, call } of WAYS) {
  t.test(`${name}: plans made before the switch are made anew while the append waits for it`, async (t) => {
    for (const stream of ["s-0", "s-1"]) {
      const next = await rebuilt();
      const { text, values } = call({ stream });
      for (let i = 0; i < 7; i += 1) await after.rows(text, values);
      await switcher.rows("begin");
      t.equal(await switchTo(next), "switched");
      const waiting = after.outcome(text, values);
      t.equal(await endedOrBlocked(owner, after, [switcher], waiting), "blocked");
      await switcher.rows("commit");
      t.equal(await waiting, "ok");
    }
    await isWhole(t);
  });
}
