import t from "tap";
import { defineProjection, InvalidProjectionError, type ProjectionDefinition } from "../../src/index.ts";

const tables = { counts: "id text" };
const handle = () => undefined;

t.test("what is left out", async (t) => {
  const code = defineProjection({ name: "counts", tables, handle });
  t.match(code, {
    name: "counts",
    revision: 1,
    types: null,
    categories: null,
    from: "start",
    onFailure: "halt",
    schema: "daybook_projections",
    mode: "async",
    apply: null,
    setup: null,
    target: null,
    maxBatch: 500,
  });
  const sql = defineProjection({ name: "counts", tables, apply: "app.counts", mode: "inline", subscribesTo: ["Told"] });
  t.match(sql, { apply: "app.counts", mode: "inline", types: ["Told"], handle: undefined });
});

t.test("what cannot be, all of it at once", async (t) => {
  const refused = (definition: object): string => {
    try {
      defineProjection(definition as ProjectionDefinition);
    } catch (error) {
      t.ok(error instanceof InvalidProjectionError);
      return error instanceof Error ? error.message : "";
    }
    return "it was not refused";
  };
  for (const [definition, problem] of [
    [{ name: "Counts", tables, handle }, "name has 1 to 40 lower-case letters"],
    [{ name: "counts", tables: {}, handle }, "tables are at least one"],
    [{ name: "counts", tables }, "one of apply, handle and handleBatch is given"],
    [{ name: "counts", tables, handle, handleBatch: handle }, "one of apply, handle and handleBatch is given"],
    [{ name: "counts", tables, handle, mode: "inline" }, "code in TypeScript cannot run inline"],
    [{ name: "counts", tables, apply: "a.b", serialize: true }, "serialize is for inline projections"],
    [{ name: "counts", tables, apply: "nowhere" }, "apply is schema.function"],
    [{ name: "counts", tables, apply: "a.b", target: {} }, "target is for code in TypeScript"],
    [{ name: "counts", tables, handle, target: {}, onFailure: "park" }, "with a target, failures halt it"],
    [{ name: "counts", tables, handle, revision: -1 }, "revision is at least 0"],
    [{ name: "counts", tables, handle, subscribesTo: [] }, "subscribesTo"],
    [{ name: "counts", tables, handle, colour: "red" }, "unknown keys colour"],
  ] as const) {
    t.match(refused(definition), problem);
  }
  t.match(refused({ name: "C", tables: {}, handle, revision: 0.5 }), /^projection C: .*; .*; .*/);
});
