import { WAYS } from "../support/calls.ts";
import { logViolations } from "../support/log.ts";
import { type Random, random } from "../support/random.ts";
import { type Session, sqlState, withSessions } from "../support/sessions.ts";
import { idViolations, type Scenario } from "./scenario.ts";

const WRITERS = 64;
const STREAM = "everybody-1";

/** Optimistic concurrency under the worst contention. */
export const oneStream: Scenario = {
  name: "one-stream",
  summary: "64 writers on one stream with exact versions: every acknowledged append is there once, at its version",
  unit: "appends per writer",
  sizes: { test: 3, stress: 50 },
  needs: "database",
  run: ({ url, seed, size }) =>
    withSessions(url, async (open) => {
      const monitor = await open();
      const acknowledged = new Map<string, number>();
      const refused: string[] = [];
      const writers: Promise<void>[] = [];
      for (let i = 0; i < WRITERS; i += 1) {
        const session = await open();
        writers.push(write(session, random(seed).fork(i), size, acknowledged, refused));
      }
      await Promise.all(writers);
      const log = await monitor.rows("select version, event_id from daybook.events where stream_id = $1", [STREAM]);
      const elsewhere = log.filter((row) => acknowledged.get(String(row.event_id)) !== row.version);
      const version = await monitor.value<number>("select daybook.stream_version($1)", [STREAM]);
      return {
        violations: [
          ...idViolations(log, [...acknowledged.keys()], refused),
          ...elsewhere.map(
            (row) =>
              `${row.event_id} is at version ${row.version}, acknowledged as ${acknowledged.get(String(row.event_id))}`,
          ),
          ...(version === WRITERS * size ? [] : [`the stream is at version ${version}, not ${WRITERS * size}`]),
          ...(await logViolations(monitor)),
        ],
        facts: { events: log.length, conflicts: refused.length },
      };
    }),
};

async function write(
  session: Session,
  random: Random,
  size: number,
  acknowledged: Map<string, number>,
  refused: string[],
): Promise<void> {
  for (let done = 0; done < size; ) {
    const expected = await session.value<number>("select daybook.stream_version($1)", [STREAM]);
    const id = random.uuid();
    const { text, values } = random.pick(WAYS).call({ stream: STREAM, expected, ids: [id] });
    const version = await session.rows(text, values).then(
      ([row]) => row?.stream_version,
      (error: unknown) => {
        if (sqlState(error) !== "YD001") throw error;
        return null;
      },
    );
    if (typeof version === "number") {
      acknowledged.set(id, version);
      done += 1;
    } else {
      // A batch says so in its row: in conflict, or busy.
      refused.push(id);
    }
  }
}
