import { z } from "zod";
import type { Db } from "../db.ts";

const pulseRow = z.object({ horizon: z.bigint(), settled: z.boolean() });
const asleepRow = z.object({ state: z.enum(["asleep", "covered", "appending"]) });

/** What a look at the log shows. */
export type Pulse = z.output<typeof pulseRow>;

/** Looks at the log: `daybook.pulse()`. */
export async function look(db: Db): Promise<Pulse> {
  const [row] = await db.query("select horizon, settled from daybook.pulse()", [], { name: "daybook_pulse" });
  return pulseRow.parse(row);
}

/** Announces over the connection that listens that it waits from now on: `daybook.fall_asleep()`. */
export async function fallAsleep(db: Db): Promise<"asleep" | "covered" | "appending"> {
  const [row] = await db.query("select daybook.fall_asleep() as state", [], { name: "daybook_fall_asleep" });
  return asleepRow.parse(row).state;
}

/** Takes that back: `daybook.wake_up()`. */
export async function wakeUp(db: Db): Promise<void> {
  await db.query("select daybook.wake_up()", [], { name: "daybook_wake_up" });
}
