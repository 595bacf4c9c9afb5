import pg from "pg";
import type { Test } from "tap";

/** What a look at the log shows. */
export interface Look {
  readonly horizon: number;
  readonly settled: boolean;
}

/** A session that listens, step by step: what a waker does by itself. */
export interface Sleeper {
  readonly pid: number;
  fallAsleep(): Promise<string>;
  wakeUp(): Promise<void>;
  look(): Promise<Look>;
  /** How many notifications have come that its own session has not sent, since it was asked last. */
  heard(): Promise<number>;
  /** Ends its server process. */
  kill(by: pg.Pool): Promise<void>;
  end(): Promise<void>;
}

export async function openSleeper(t: Test, url: string): Promise<Sleeper> {
  const client = new pg.Client(url);
  let count = 0;
  client.on("error", () => undefined);
  await client.connect();
  const row = async (text: string): Promise<Record<string, unknown>> => (await client.query(text)).rows[0];
  const pid = Number((await row("select pg_backend_pid() as pid")).pid);
  client.on("notification", (message) => {
    if (message.processId !== pid) count += 1;
  });
  await client.query("listen daybook");
  const end = () => client.end().catch(() => undefined);
  t.teardown(end);
  return {
    pid,
    fallAsleep: async () => String((await row("select daybook.fall_asleep() as outcome")).outcome),
    wakeUp: async () => {
      await row("select daybook.wake_up()");
    },
    look: async () => {
      const { horizon, settled } = await row("select horizon::integer, settled from daybook.pulse()");
      return { horizon: Number(horizon), settled: settled === true };
    },
    heard: async () => {
      // what was sent before a statement has come when the next one ends
      await row("select 1");
      await row("select 1");
      const heard = count;
      count = 0;
      return heard;
    },
    kill: async (by) => {
      await by.query("select pg_terminate_backend($1, 5000)", [pid]);
    },
    end,
  };
}
