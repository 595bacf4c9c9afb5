import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import t from "tap";
import { openConnections } from "../../src/worker/connections.ts";
import { runJobs } from "../../src/worker/jobs.ts";
import { toSettings } from "../../src/worker/options.ts";
import { testDatabase } from "../support/database.ts";

t.test("a connection that is lost before the first answer", async (t) => {
  const { url } = await testDatabase(t);
  const connections = openConnections(url, toSettings({ db: url }));
  let isAway = false;
  const connect: (...args: unknown[]) => unknown = connections.jobs.connect.bind(connections.jobs);
  const pool: pg.Pool = Object.create(connections.jobs, {
    connect: {
      // with an argument it is asked for a connection to listen on, which it never gets
      value: (...args: unknown[]) =>
        args.length === 0 && isAway
          ? Promise.reject(new Error("Connection terminated unexpectedly"))
          : connect(...args),
    },
  });
  const { promise: done, resolve } = Promise.withResolvers<unknown>();
  const ids: (string | undefined)[] = [];
  const jobs = await runJobs({
    pool,
    schema: "graphile_worker",
    concurrency: 2,
    tasks: { greet: async (payload) => resolve(payload) },
    cron: [],
    prepare: true,
    onEvent: undefined,
    onId(id) {
      ids.push(id);
      // it is about to ask for the first time
      isAway = ids.length === 1;
    },
  });
  await sleep(200);
  isAway = false;
  const client = new pg.Client(url);
  await client.connect();
  await client.query(`select graphile_worker.add_job('greet', '{"name": "Ada"}')`);
  t.same(
    await Promise.race([done, sleep(20_000, undefined, { ref: false })]),
    { name: "Ada" },
    "it takes jobs all the same",
  );
  t.ok(ids.length > 1, "as another one");
  await jobs.stop();
  await client.end();
  await connections.close();
});
