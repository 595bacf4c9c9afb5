import t from "tap";
import { testDatabase } from "../support/database.ts";
import { append, appendBatch, appendEvent, appendStreams, type Call, type Entry, WAYS } from "./support/calls.ts";
import { buildGates, countGates, walk } from "./support/gates.ts";
import { interleavings } from "./support/interleavings.ts";
import { logViolations } from "./support/log.ts";
import { endedOrBlocked, type Row, sessions } from "./support/sessions.ts";

/*
 * Two writers meet on one stream. One is stopped at every step of registering and drawing positions while the other
 * appends to the same stream: it waits, or comes first; positions and versions tell the same order.
 */

const FIRST: Record<string, (entry: Entry) => Call> = {
  append_event: appendEvent,
  append: (entry) => append({ ...entry, count: 2 }),
  append_streams: (entry) => appendStreams(entry, { stream: "meet-other" }),
  append_batch: (entry) => appendBatch(entry, { stream: "meet-other" }),
};

// Thousands of small steps; on a busy machine each takes its time.
t.setTimeout(240_000);
const { url } = await testDatabase(t);
const { a, b, controller } = await sessions(t, url, ["a", "b", "controller"]);
await controller.rows("select daybook.append_event('meet-1', 'Tested')");
await buildGates(controller);

let streams = 0;
for (const [name, first] of Object.entries(FIRST)) {
  for (const fresh of [false, true]) {
    t.test(`${name} and another append meet on ${fresh ? "a new" : "a"} stream: one order`, async (t) => {
      const stream = () => {
        if (fresh) streams += 1;
        return fresh ? `meet-new-${streams}` : "meet-1";
      };
      const walked = first({ stream: stream() });
      const gates = await countGates(a, () => a.rows(walked.text, walked.values));
      let found: string[] = [];
      let count = 0;
      for (const way of WAYS) {
        let entry: Entry = { stream: "" };
        let meeting: Promise<Row[]> = Promise.resolve([]);
        const lane = [
          {
            name: `${way.name}-of-b`,
            work: () => {
              const { text, values } = way.call(entry);
              meeting = b.rows(text, values);
              return endedOrBlocked(controller, b, [a], meeting);
            },
          },
        ];
        for (const { story, plan, rest } of interleavings(gates, [lane])) {
          entry = { stream: stream() };
          const { text, values } = first(entry);
          await a.rows("begin");
          await walk(controller, a, plan, () => a.rows(text, values));
          for (const step of rest) await step.work();
          await a.rows("commit");
          await meeting;
          count += 1;
          found = found.length > 0 ? found : (await logViolations(controller)).map((problem) => `${story}: ${problem}`);
        }
      }
      t.same(found, [], `${count} interleavings`);
    });
  }
}
