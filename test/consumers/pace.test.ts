import t from "tap";
import { pace } from "../../src/consumers/pace.ts";

t.test("the one at fault is known: those before it, then it alone, then all", async (t) => {
  const steps = pace(100);
  t.equal(steps.next(), 100);
  steps.onFailed(7);
  t.equal(steps.next(), 7);
  steps.onDone();
  t.equal(steps.next(), 1);
  steps.onDone();
  t.equal(steps.next(), 100);
});

t.test("it is not known: half of them, until it is alone; then more and more again", async (t) => {
  const steps = pace(100);
  const sizes = [];
  for (let count = 100; count > 1; count = steps.next()) {
    steps.onUnknown(count);
    sizes.push(steps.next());
  }
  t.same(sizes, [50, 25, 12, 6, 3, 1]);
  for (let n = 0; n < 8; n += 1) steps.onDone();
  t.equal(steps.next(), 100);
});
