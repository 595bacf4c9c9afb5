import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import {
  append,
  isRetriable,
  pauseProjection,
  projectionStatus,
  RebuildUnderWayError,
  rebuildProjection,
  resumeProjection,
} from "../../src/index.ts";
import { seeded } from "../faults/support.ts";
import { applyFunctions, codeCounts, sqlCounts } from "../projections/support.ts";
import { testDatabase } from "../support/database.ts";
import { eventually, work } from "../worker/support.ts";
import { random } from "./support/random.ts";

t.setTimeout(300_000);

/** In one test: writers that roll back now and then, two workers, and somebody who rebuilds, pauses and resumes at random. */
const writers = 12;
const time = 6000;
const names = ["counts", "code", "inline"] as const;

seeded(t, "rows are a fold of the log, whatever is done to the projections meanwhile", {}, async (t, choices) => {
  const database = await testDatabase(t);
  const { db, pool } = database;
  await applyFunctions(database);
  await pool.query(
    "create schema code; create schema inline; grant usage, create on schema code, inline to daybook_projector",
  );
  const projections = [
    sqlCounts(),
    codeCounts({ name: "code", schema: "code" }),
    sqlCounts({ name: "inline", schema: "inline", mode: "inline" }),
  ];
  await work(t, database, { projections, concurrency: 3 });
  await work(t, database, { projections, concurrency: 3 });

  const end = performance.now() + time;
  const write = async (seed: number) => {
    const own = random(seed);
    while (performance.now() < end) {
      const streams = Array.from({ length: own.between(1, 3) }, () => `s-${own.between(0, 19)}`).toSorted();
      await db
        .transaction(async (tx) => {
          for (const streamId of streams) {
            const events = Array.from({ length: own.between(1, 4) }, () => ({ type: "Told", data: {} }));
            await append(tx, { streamId, events });
          }
          await sleep(own.between(0, 5));
          if (own.between(1, 4) === 1) throw new Error("rolled back");
        })
        .catch((error: unknown) => {
          // 55P03 and 40001: the gate of a switch; 40P01: nobody orders the streams of several appends
          if (!isRetriable(error) && !(error instanceof Error && error.message === "rolled back")) throw error;
        });
    }
  };
  const operate = async () => {
    while (performance.now() < end) {
      const name = choices.pick(names);
      const act = choices.pick(["rebuild", "rebuild", "pause", "resume"]);
      await (act === "rebuild"
        ? rebuildProjection(db, { name })
        : act === "pause"
          ? pauseProjection(db, { name })
          : resumeProjection(db, { name })
      ).catch((error: unknown) => {
        if (!isRetriable(error) && !(error instanceof RebuildUnderWayError)) throw error;
      });
      await sleep(choices.between(5, 60));
    }
  };
  await Promise.all([operate(), ...Array.from({ length: writers }, (_, n) => write(n + choices.between(1, 1e6)))]);

  for (const name of names) await resumeProjection(db, { name });
  await eventually(
    async () =>
      (await projectionStatus(db)).every(
        ({ behind, building, state }) => behind === 0 && building === null && ["running", "inline"].includes(state),
      ),
    60_000,
  );
  const versions = (await projectionStatus(db)).map(({ version }) => version);
  t.ok(
    versions.some((version) => version > 2),
    `they were rebuilt: versions ${versions.join()}`,
  );
  for (const schema of ["daybook_projections", "code", "inline"]) {
    const { rows } = await pool.query(`
      select coalesce(e.stream_id, c.stream_id) as stream_id, c.events, e.events as expected
        from (select stream_id, count(*) as events from daybook.events group by 1) e
        full join ${schema}.counts c on c.stream_id = e.stream_id
       where c.events is distinct from e.events`);
    t.same(rows, [], schema);
  }
});
