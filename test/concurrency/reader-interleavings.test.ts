import t from "tap";
import { testDatabase } from "../support/database.ts";
import { buildGates, countGates, walk } from "./support/gates.ts";
import { appendTo, lastValue } from "./support/in-flight.ts";
import { interleavings } from "./support/interleavings.ts";
import { differences } from "./support/log.ts";
import { type Session, sessions } from "./support/sessions.ts";

/*
 * A reader is stopped at every look it takes at the sequence and at the locks, and in between two writers do what they
 * do, in every order there is: A appends and commits later, B appends and commits at once. Whatever the order, the
 * reader who goes on from where it was sees both, in order.
 */

/** How a consumer reads on from its cursor: what it sees, and its next cursor. */
type Read = (reader: Session, cursor: number) => Promise<{ seen: number[]; next: number }>;

const READS: Record<string, Read> = {
  read_all: fromLastEvent("select position from daybook.read_all($1, 100)"),
  "read_all of types": fromLastEvent("select position from daybook.read_all($1, 100, types => '{Tested,Other}')"),
  read_type: fromLastEvent("select position from daybook.read_type('Tested', after_position => $1, max_count => 100)"),
  read_category: fromLastEvent("select position from daybook.read_category('step', $1, 100)"),
  // A consumer of rare types keeps the horizon as its cursor.
  horizon: async (reader, cursor) => {
    const next = Math.max(cursor, await reader.value<number>("select daybook.horizon()"));
    const text = "select position from daybook.event_log where position > $1 and position <= $2 order by position";
    return { seen: await reader.column<number>(text, [cursor, next]), next };
  },
};

function fromLastEvent(text: string): Read {
  return async (reader, cursor) => {
    const seen = await reader.column<number>(text, [cursor]);
    return { seen, next: seen.at(-1) ?? cursor };
  };
}

// Thousands of small steps; on a busy machine each takes its time.
t.setTimeout(240_000);
const { url } = await testDatabase(t);
const { a, b, reader, controller } = await sessions(t, url, ["a", "b", "reader", "controller"]);
await controller.rows("select daybook.append_event('step-a', 'Tested'), daybook.append_event('step-b', 'Tested')");
await buildGates(controller);

let written: number[] = [];
const append = async (session: Session, stream: string) => {
  written.push(await appendTo(session, stream));
};

for (const [name, read] of Object.entries(READS)) {
  t.test(`${name} skips nothing, however it falls between two writers`, async (t) => {
    const cursor = await lastValue(controller);
    const gates = await countGates(reader, () => read(reader, cursor));
    t.ok(gates >= 4, `${gates} gates`);

    const lanes = [
      [
        { name: "a-appends", work: () => a.rows("begin").then(() => append(a, "step-a")) },
        { name: "a-commits", work: () => a.rows("commit") },
      ],
      [{ name: "b-appends-and-commits", work: () => append(b, "step-b") }],
    ];
    const found: string[] = [];
    let count = 0;
    for (const { story, plan, rest } of interleavings(gates, lanes)) {
      written = [];
      const before = await lastValue(controller);
      const page = await walk(controller, reader, plan, () => read(reader, before));
      for (const step of rest) await step.work();
      const last = await read(reader, page.next);
      count += 1;
      found.push(...differences(`${story}: the reader`, [...page.seen, ...last.seen], written));
    }
    t.same(found.slice(0, 5), [], `${count} interleavings`);
  });
}
