import { setTimeout as sleep } from "node:timers/promises";
import type { Session } from "./session.ts";

// two numbers, the first being Daybook's for this purpose
const key = "1145196365, 0";
const poll = 100;

/**
 * Runs work while no other process installs or removes Daybook in this database. The lock is asked for again and again:
 * a statement that waits holds a snapshot, and so would hold up a CREATE INDEX CONCURRENTLY of the one that has it.
 */
export async function underLock<T>(session: Session, onWait: () => void, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; !(await tryLock(session)); attempt += 1) {
    if (attempt === 1) onWait();
    await sleep(poll);
  }
  try {
    return await work();
  } finally {
    // a connection that is lost has let go of it
    await session.db.query(`select pg_advisory_unlock(${key})`).catch(() => undefined);
  }
}

async function tryLock(session: Session): Promise<boolean> {
  const [row] = await session.db.query<{ locked: boolean }>(`select pg_try_advisory_lock(${key}) as locked`);
  return row?.locked === true;
}
