import t from "tap";
import { testCluster } from "../support/cluster.ts";
import { appendTo, readAll } from "./support/in-flight.ts";
import { install } from "./support/install.ts";
import { logViolations } from "./support/log.ts";
import { letMonthEnd, seal } from "./support/partitions.ts";
import { withSessions } from "./support/sessions.ts";

/* Prepared transactions survive a crash, and have another name in pg_locks afterwards. */

t.test("a prepared transaction is waited for over a crash, at whatever step the sealing is", async (t) => {
  const cluster = await testCluster(t, { max_prepared_transactions: 5 });
  await install(cluster.url);
  for (const steps of [1, 2, 3]) {
    const later = await withSessions(cluster.url, async (open) => {
      const [a, b] = [await open(), await open()];
      const append = () => a.rows("begin").then(() => appendTo(a, "crash-a"));
      await letMonthEnd(b, append, () => a.rows("rollback"));
      await a.rows("prepare transaction 'crash'");
      t.same(await seal(b, steps), []);
      return appendTo(b, "crash-b");
    });
    await cluster.kill9();
    await cluster.restart();
    await withSessions(cluster.url, async (open) => {
      const b = await open();
      t.same(await seal(b), [], `after ${steps} steps and a crash`);
      t.same(await readAll(b, later - 2), [], "and holds the horizon");
      await b.rows("commit prepared 'crash'");
      t.same(await seal(b), ["event_log_test_1"]);
      t.same(await readAll(b, later - 2), [later - 1, later]);
      t.same(await logViolations(b), []);
    });
  }
});
