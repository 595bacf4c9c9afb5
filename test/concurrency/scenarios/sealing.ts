import { differences, logViolations } from "../support/log.ts";
import { layOut, month } from "../support/partitions.ts";
import { type Random, random } from "../support/random.ts";
import { type Session, withSessions } from "../support/sessions.ts";
import { appendSome } from "./append-some.ts";
import { follow, READERS } from "./follow.ts";
import type { Scenario } from "./scenario.ts";

const WRITERS = 12;
/** How long a partition lasts here, in milliseconds. */
const LENGTH = 200;

/** Months of a fifth of a second, sealed as soon as they are over, while transactions straddle their ends. */
export const sealing: Scenario = {
  name: "sealing",
  summary: "partitions end and are sealed under writers whose transactions straddle their ends: readers miss nothing",
  unit: "partitions",
  sizes: { test: 15, stress: 500 },
  needs: "database",
  run: ({ url, seed, size }) =>
    withSessions(url, async (open) => {
      const monitor = await open();
      const start = (await monitor.value<Date>("select clock_timestamp()")).getTime() + 500;
      const ends = Array.from({ length: size }, (_, i) => new Date(start + i * LENGTH));
      await layOut(monitor, [await month(monitor, -1), ...ends, await month(monitor, 2)]);
      const until = start + size * LENGTH;
      let ended = false;
      const writers: Promise<void>[] = [];
      for (let i = 0; i < WRITERS; i += 1) {
        writers.push(write(await open(), random(seed).fork(i), [`seal-${i}`, `seal-${i}-b`], until));
      }
      const writing = Promise.all(writers).finally(() => {
        ended = true;
      });
      const following: Promise<number[]>[] = [];
      for (const [i, reader] of READERS.entries()) {
        following.push(follow(await open(), reader, random(seed).fork(1000 + i), () => ended));
      }
      const sealed = sealUntil(await open(), () => ended);
      await Promise.all([writing, sealed, ...following]);
      const seen = await Promise.all(following);
      const positions = await monitor.column<number>("select position from daybook.event_log order by position");
      const done = await monitor.value<number>("select count(*) from daybook.partitions where state = 'sealed'");
      return {
        violations: [
          ...READERS.flatMap((reader, i) => differences(reader.name, seen[i] ?? [], positions)),
          ...(await logViolations(monitor)),
          ...(done === size ? [] : [`${done} partitions were sealed, not ${size}`]),
        ],
        facts: { events: positions.length, sealed: done, whileWriting: await sealed },
      };
    }),
};

async function write(session: Session, random: Random, streams: readonly string[], until: number): Promise<void> {
  while (Date.now() < until) {
    await session.rows("begin");
    for (let i = random.between(1, 3); i > 0; i -= 1) {
      await appendSome(session, random, streams);
      await session.rows("select pg_sleep($1)", [random.next() * (random.chance(0.1) ? 0.4 : 0.03)]);
    }
    await session.rows(random.chance(0.85) ? "commit" : "rollback");
  }
}

/** Seals while there are writers, then what is left; gives how many were sealed meanwhile. */
async function sealUntil(session: Session, ended: () => boolean): Promise<number> {
  let sealed = 0;
  for (let rest = 4; rest > 0; ) {
    const names = await session.column<string>("select daybook.seal_partitions()");
    if (ended()) rest -= 1;
    else sealed += names.length;
    await session.rows("select pg_sleep(0.01)");
  }
  return sealed;
}
