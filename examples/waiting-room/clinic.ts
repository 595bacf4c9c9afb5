import { setTimeout as sleep } from "node:timers/promises";
import type { Store } from "../../src/index.ts";
import { createFollower } from "./follower.ts";
import type { Followed, Following } from "./following.ts";
import { type Balance, createLedger } from "./ledger.ts";
import type { Options } from "./options.ts";
import { type Office, work } from "./receptionist.ts";
import { showProgress } from "./report.ts";
import { type Random, randomOf } from "./simulation.ts";

export const rooms = ["north", "south", "children"];

/** What a run came to. */
export interface Outcome {
  readonly balance: Balance;
  readonly followed: Followed;
  /** How long the receptionists worked. */
  readonly seconds: number;
}

/** How long the log may take to give back what was acknowledged, in milliseconds. */
const patience = 10_000;

/**
 * Runs the clinic until the signal, or its time is over; then reads what is still to come, and draws the balance.
 *
 * @param run marks the events of this run, in their metadata
 * @throws what the store throws; nobody works on then
 */
export async function runClinic(
  { store, run, following }: { store: Store; run: string; following: Following },
  options: Options,
  output: NodeJS.WriteStream,
  signal: AbortSignal,
): Promise<Outcome> {
  const ledger = createLedger(run);
  const follower = await createFollower(store, rooms, ledger);
  const failure = new AbortController();
  const closing = AbortSignal.any([
    signal,
    failure.signal,
    ...(options.seconds === null ? [] : [AbortSignal.timeout(options.seconds * 1000)]),
  ]);
  const office: Office = {
    store,
    run,
    turn: pacer(options.rate, randomOf(options.seed), closing),
    onStored: ledger.stored,
    onConflict: ledger.conflict,
    signal: closing,
  };
  const start = performance.now();
  let deadline = Number.POSITIVE_INFINITY;
  let seconds = 0;
  const isOver = () => failure.signal.aborted || performance.now() > deadline || (seconds > 0 && ledger.isSettled());
  const ended = showProgress(ledger, { follower, following }, output);
  const working = Array.from({ length: options.receptionists }, (_, i) =>
    work(office, {
      room: rooms[i % rooms.length] ?? "north",
      desk: `desk ${i + 1}`,
      random: randomOf(options.seed + 1 + i),
    }),
  );
  const reading = follower.follow(isOver);
  try {
    await orFail(failure, [
      reading,
      Promise.all(working).then(() => {
        seconds = (performance.now() - start) / 1000;
        deadline = performance.now() + patience;
      }),
    ]);
  } finally {
    // nobody uses the store any more when this returns
    await Promise.allSettled([...working, reading]);
    ended();
  }
  return { balance: ledger.balance(), followed: await following.settle(), seconds };
}

async function orFail(failure: AbortController, work: readonly Promise<unknown>[]): Promise<void> {
  try {
    await Promise.all(work);
  } catch (error) {
    failure.abort();
    throw error;
  }
}

/** Gives turns, so many a second on average, as people come: now two at once, now none for a while. */
function pacer(rate: number, random: Random, signal: AbortSignal): () => Promise<void> {
  const mean = 1000 / rate;
  let next = performance.now();
  return async () => {
    const now = performance.now();
    // what was missed while the machine was busy is made up for, up to a second of it
    const due = Math.max(next, now - 1000);
    next = due - Math.log(1 - random()) * mean;
    if (due > now) await sleep(due - now, undefined, { signal }).catch(() => undefined);
  };
}
