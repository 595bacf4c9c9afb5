import t from "tap";
import { defineRoute, InvalidConsumerError } from "../../src/index.ts";

t.test("what is left out", async (t) => {
  t.match(defineRoute({ name: "out", transport: "kafka" }), {
    name: "out",
    transport: "kafka",
    topic: "{category}",
    types: null,
    categories: null,
    tenantId: null,
    publicName: null,
    publicVersion: 1,
    mapping: null,
    mode: "on",
    shards: 1,
    onFailure: "park",
    retry: { attempts: 5, baseDelay: 1000, maxDelay: 300_000 },
  });
});

t.test("bad definitions", async (t) => {
  const cases: readonly (readonly [definition: object, problem: RegExp])[] = [
    [{ name: "out" }, /transport is a text/],
    [{ name: "out", transport: "" }, /transport has 1 to 255/],
    [{ transport: "kafka" }, /name is a text/],
    [{ name: "out", transport: "kafka", types: [] }, /types are at least one/],
    [{ name: "out", transport: "kafka", categories: "account" }, /categories are an array/],
    [{ name: "out", transport: "kafka", publicVersion: 0 }, /publicVersion is at least 1/],
    [{ name: "out", transport: "kafka", mode: "off" }, /mode is on or shadow/],
    [{ name: "out", transport: "kafka", topics: "x" }, /unknown keys topics/],
  ];
  for (const [definition, message] of cases) {
    t.throws(() => defineRoute(definition as Parameters<typeof defineRoute>[0]), { code: "YD502", message });
  }
  t.throws(() => defineRoute({ name: "", transport: "" }), InvalidConsumerError);
});
