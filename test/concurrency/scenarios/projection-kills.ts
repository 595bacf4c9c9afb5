import { setTimeout as sleep } from "node:timers/promises";
import { type Random, random } from "../support/random.ts";
import { openSession, type Session, withSessions } from "../support/sessions.ts";
import { appendSome } from "./append-some.ts";
import { createAll, foldViolations, PROJECTIONS, settle } from "./projected.ts";
import type { Scenario } from "./scenario.ts";

const WRITERS = 4;
const STREAMS = Array.from({ length: 8 }, (_, i) => `shared-${i}`);
/** How long they work between two crashes, in milliseconds. */
const WORK = { least: 30, most: 500 };

/** Law 9 and 13: positions and rows of projections are one transaction, and so is a switch. */
export const projectionKills: Scenario = {
  name: "projection-kills",
  summary:
    "the server is killed in mid-rebuild and mid-switch: projections go on from where they were, and are a fold of the log",
  unit: "kills",
  sizes: { test: 3, stress: 60 },
  needs: "server",
  run: async ({ server, seed, size, note }) => {
    if (!server) throw new Error("this scenario crashes a server of its own");
    await withSessions(server.url, async (open) => createAll(await open()));
    const facts = { kills: 0, appends: 0, batches: 0, switches: 0 };
    const violations: string[] = [];
    for (let i = 1; i <= size && violations.length === 0; i += 1) {
      const choices = random(seed).fork(i);
      const parts = Array.from({ length: WRITERS }, (_, n) =>
        untilKilled(server.url, (s) => append(s, choices.fork(n), facts)),
      );
      parts.push(untilKilled(server.url, (s) => drive(s, choices.fork(50), facts)));
      parts.push(untilKilled(server.url, (s) => rebuild(s, choices.fork(60))));
      await sleep(choices.between(WORK.least, WORK.most));
      await server.kill9();
      await Promise.all(parts);
      await server.restart();
      facts.kills += 1;
      // now and then to the end; else the next crash comes upon what this one has left
      if (i % 3 === 0 || i === size)
        violations.push(...(await withSessions(server.url, async (open) => check(await open()))));
      note(`kill ${i}: ${facts.appends} appends, ${facts.switches} switches`);
    }
    return { violations, facts };
  },
};

async function check(session: Session): Promise<string[]> {
  return [...(await settle(session)), ...(await foldViolations(session))];
}

/** Does it over and over, until the connection is gone. */
async function untilKilled(url: string, work: (session: Session) => Promise<void>): Promise<void> {
  let session: Session | undefined;
  try {
    session = await openSession(url);
    for (;;) await work(session);
  } catch {
    await session?.end().catch(() => undefined);
  }
}

async function append(session: Session, choices: Random, facts: { appends: number }): Promise<void> {
  await appendSome(session, choices, STREAMS);
  facts.appends += 1;
  if (choices.chance(0.3)) await sleep(choices.between(1, 5));
}

async function drive(session: Session, choices: Random, facts: { batches: number; switches: number }): Promise<void> {
  const text = "select consumer from daybook.projection_versions where stage <> 'retired'";
  for (const consumer of choices.some(await session.column<string>(text), 4)) {
    const [done] = await session.rows("select * from daybook.advance_projection($1, $2)", [
      consumer,
      choices.between(1, 100),
    ]);
    facts.batches += 1;
    if (done?.outcome === "switched") facts.switches += 1;
  }
}

async function rebuild(session: Session, choices: Random): Promise<void> {
  const { name } = choices.pick(PROJECTIONS);
  // one that is being built already says so
  await session.outcome("select daybook.rebuild_projection($1)", [name]);
  await sleep(choices.between(1, 60));
}
