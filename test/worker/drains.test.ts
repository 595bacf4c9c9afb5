import t from "tap";
import type { DrainResult } from "../../src/consumers/drain.ts";
import { createDrains } from "../../src/worker/drains.ts";

const due = { kind: "handler", name: "h", implementation: "h", shard: 0, shardCount: 1 } as const;

t.test("a drain that is never done ends all the same, and is begun again", async (t) => {
  const ends: boolean[] = [];
  const busy: DrainResult = { handled: 1, more: true, outcome: "budget" };
  const drains = createDrains({
    runnable: {
      tasks: [],
      taskOf: async () => undefined,
      forget: () => undefined,
      async drain() {
        await new Promise((resolve) => setTimeout(resolve, 5));
        return busy;
      },
    },
    concurrency: 5,
    longest: 100,
    horizon: () => 1n,
    waiting: () => 0,
    onEnd: (_key, hasMore) => ends.push(hasMore),
    onEvent: undefined,
  });
  await drains.run(due);
  t.same(ends, [true], "and says that there is more");
  t.same(drains.running, []);
  t.ok(drains.handled > 1);
});
