import t from "tap";
import { testDatabase } from "../support/database.ts";
import { append, appendBatch, appendEvent, appendStreams, type Call } from "./support/calls.ts";
import { buildGates, countGates, walk } from "./support/gates.ts";
import { interleavings } from "./support/interleavings.ts";
import { differences, logViolations } from "./support/log.ts";
import { sessions } from "./support/sessions.ts";

/*
 * A writer is stopped at every step of registering and drawing positions, and in between somebody else appends and
 * commits and a reader follows, in every order there is. Whatever the order, the reader sees the writer's events too.
 */

/** What the writer does in its transaction: some things first, then the append that is walked through. */
interface Story {
  readonly name: string;
  readonly before?: readonly string[];
  /** `fresh` names a stream that is not there yet. */
  readonly call: (fresh: string) => Call;
}

const one = appendEvent({ stream: "step-a" });
const STORIES: readonly Story[] = [
  { name: "append_event", call: () => one },
  { name: "append_event of a new stream", call: (fresh) => appendEvent({ stream: fresh }) },
  { name: "append of two events", call: () => append({ stream: "step-a", count: 2 }) },
  { name: "append_streams", call: (fresh) => appendStreams({ stream: "step-a" }, { stream: fresh }) },
  { name: "append_batch", call: (fresh) => appendBatch({ stream: "step-a" }, { stream: fresh }) },
  { name: "append_batch, singly", call: () => appendBatch({ stream: "step-a", expected: -1 }) },
  { name: "a second append", before: ["select daybook.append_event('step-a', 'Tested')"], call: () => one },
  { name: "an append after other writing", before: ["select pg_current_xact_id()"], call: () => one },
  {
    name: "an append after the first was rolled back to a savepoint",
    before: ["savepoint s", "select daybook.append_event('step-a', 'Tested')", "rollback to s"],
    call: () => one,
  },
  {
    name: "an append in a savepoint, after an append",
    before: ["select daybook.append_event('step-a', 'Tested')", "savepoint s"],
    call: () => one,
  },
];

// Thousands of small steps; on a busy machine each takes its time.
t.setTimeout(240_000);
const { url } = await testDatabase(t);
const { a, b, reader, controller } = await sessions(t, url, ["a", "b", "reader", "controller"]);
await controller.rows("select daybook.append_event('step-a', 'Tested'), daybook.append_event('step-b', 'Tested')");
await buildGates(controller);

let streams = 0;
for (const { name, before = [], call } of STORIES) {
  const begin = async () => {
    await a.rows("begin");
    for (const text of before) await a.rows(text);
  };
  const appendHere = () => {
    streams += 1;
    const { text, values } = call(`step-new-${streams}`);
    return a.rows(text, values);
  };

  t.test(`${name} is seen by a reader, however others fall into it`, async (t) => {
    await begin();
    const gates = await countGates(a, appendHere);
    await a.rows("commit");
    t.ok(gates >= 4, `${gates} gates`);

    let seen: number[] = [];
    const read = async () => {
      const cursor = seen.at(-1) ?? start;
      seen.push(...(await reader.column<number>("select position from daybook.read_all($1, 100)", [cursor])));
    };
    const others = [
      { name: "b-appends-and-commits", work: () => b.rows("select daybook.append_event('step-b', 'Tested')") },
      { name: "reader-reads", work: read },
    ];
    let start = 0;
    let count = 0;
    const found: string[] = [];
    for (const { story, plan, rest } of interleavings(gates, [others])) {
      seen = [];
      start = await controller.value<number>("select pg_sequence_last_value('daybook.positions')");
      await begin();
      await walk(controller, a, plan, appendHere);
      for (const step of rest) await step.work();
      await a.rows("commit");
      await read();
      count += 1;
      const text = "select position from daybook.event_log where position > $1 order by position";
      found.push(
        ...differences(`${story} a-commits: the reader`, seen, await controller.column<number>(text, [start])),
      );
    }
    t.same(found.slice(0, 5), [], `${count} interleavings`);
  });
}

t.test("the log is whole", async (t) => t.same(await logViolations(controller), []));
