import t from "tap";
import { defineHandler, InvalidConsumerError } from "../../src/index.ts";

const handle = async () => undefined;

t.test("what is left out", async (t) => {
  t.match(defineHandler({ name: "all", subscribesTo: ["*"], handle }), {
    name: "all",
    types: null,
    categories: null,
    from: "start",
    shards: 1,
    tenantId: null,
    onFailure: "park",
    retry: { attempts: 5, baseDelay: 1000, maxDelay: 300_000 },
    maxBatch: 500,
    batchByTenant: true,
  });
});

t.test("what it subscribes to", async (t) => {
  const of = (subscribesTo: Parameters<typeof defineHandler>[0]["subscribesTo"]) => {
    const { types, categories } = defineHandler({ name: "h", subscribesTo, handle });
    return { types, categories };
  };
  t.same(of(["A", "B"]), { types: ["A", "B"], categories: null });
  t.same(of({ categories: ["account"] }), { types: null, categories: ["account"] });
  t.same(of({ categories: ["account"], types: ["A"] }), { types: ["A"], categories: ["account"] });
});

t.test("a class can be a handler", async (t) => {
  class Counter {
    readonly name = "counter";
    readonly subscribesTo = ["*"];
    #count = 0;
    handle() {
      this.#count += 1;
    }
    static count(counter: Counter) {
      return counter.#count;
    }
  }
  const counter = new Counter();
  const handler = defineHandler(counter);
  await handler.handle?.(...([] as unknown as Parameters<NonNullable<typeof handler.handle>>));
  t.equal(Counter.count(counter), 1);
});

t.test("bad definitions", async (t) => {
  const cases: readonly (readonly [definition: object, problem: RegExp])[] = [
    [{ subscribesTo: ["*"], handle }, /name is a text/],
    [{ name: "", subscribesTo: ["*"], handle }, /name has 1 to 255/],
    [{ name: "a\nb", subscribesTo: ["*"], handle }, /control character/],
    [{ name: "x".repeat(256), subscribesTo: ["*"], handle }, /1 to 255/],
    [{ name: "h", handle }, /subscribesTo is/],
    [{ name: "h", subscribesTo: [], handle }, /subscribesTo/],
    [{ name: "h", subscribesTo: ["*", "A"], handle }, /stands alone/],
    [{ name: "h", subscribesTo: { types: ["A"] }, handle }, /subscribesTo/],
    [{ name: "h", subscribesTo: ["*"] }, /either handle or handleBatch/],
    [{ name: "h", subscribesTo: ["*"], handle, handleBatch: handle }, /not both/],
    [{ name: "h", subscribesTo: ["*"], handle: "x" }, /handle is a function/],
    [{ name: "h", subscribesTo: ["*"], handle, from: 5 }, /from is/],
    [{ name: "h", subscribesTo: ["*"], handle, from: -1n }, /from is/],
    [{ name: "h", subscribesTo: ["*"], handle, from: new Date(Number.NaN) }, /from/],
    [{ name: "h", subscribesTo: ["*"], handle, shards: 0 }, /shards is at least 1/],
    [{ name: "h", subscribesTo: ["*"], handle, shards: 129 }, /shards is at most 128/],
    [{ name: "h", subscribesTo: ["*"], handle, tenantId: "*" }, /one tenant/],
    [{ name: "h", subscribesTo: ["*"], handle, onFailure: "ignore" }, /halt, park or skip/],
    [{ name: "h", subscribesTo: ["*"], handle, retry: { attempts: 0 } }, /attempts is at least 1/],
    [{ name: "h", subscribesTo: ["*"], handle, retry: { baseDelay: 10, maxDelay: 5 } }, /not longer than maxDelay/],
    [{ name: "h", subscribesTo: ["*"], handle, retry: { baseDelay: "1s" } }, /milliseconds/],
    [{ name: "h", subscribesTo: ["*"], handle, maxBatch: 0 }, /maxBatch is at least 1/],
    [{ name: "h", subscribesTo: ["*"], handle, batchSize: 5 }, /unknown keys batchSize/],
    [{ name: "h", subscribesTo: ["*"], handle, retry: { tries: 5 } }, /unknown keys retry: tries/],
  ];
  for (const [definition, problem] of cases) {
    try {
      defineHandler(definition as Parameters<typeof defineHandler>[0]);
      t.fail(`taken: ${problem}`);
    } catch (error) {
      t.ok(error instanceof InvalidConsumerError && error.code === "YD502");
      t.match(error, { message: problem });
    }
  }
});

t.test("every problem is told", async (t) => {
  t.throws(() => defineHandler({ name: "", subscribesTo: ["*"], shards: 0, handle }), {
    message: "handler : name has 1 to 255 characters, none of them a control character; shards is at least 1",
    detail: { problems: { length: 2 } },
  });
});
