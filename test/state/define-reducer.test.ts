import t from "tap";
import { z } from "zod";
import { defineReducer, InvalidReducerError, type Reducer, type StoredEvent } from "../../src/index.ts";

t.test("what is left out", async (t) => {
  const reducer = defineReducer({ name: "r", version: 1, initial: 0, evolve: (state) => state + 1 });
  t.match(reducer, { name: "r", version: 1, snapshotEvery: null, keepSnapshots: 3 });
  t.ok(Object.isFrozen(reducer));
});

t.test("the initial state is a new one each time", async (t) => {
  const reducer = defineReducer({ name: "r", version: 1, initial: { list: [1] }, evolve: (state) => state });
  reducer.initial().list.push(2);
  t.same(reducer.initial(), { list: [1] });
});

t.test("types: of the state, of its events, and what the schema says", async (t) => {
  type Deposited = StoredEvent<{ amount: number }> & { readonly type: "Deposited" };
  type Closed = StoredEvent<{ reason: string }> & { readonly type: "Closed" };
  const account: Reducer<{ balance: number; closed?: string | undefined }> = defineReducer({
    name: "account",
    version: 1,
    initial: { balance: 0 } as { balance: number; closed?: string | undefined },
    evolve(state, event: Deposited | Closed) {
      return event.type === "Deposited"
        ? { ...state, balance: state.balance + event.data.amount }
        : { ...state, closed: event.data.reason };
    },
  });
  t.same(account.initial().balance, 0);
  const visit = defineReducer({
    name: "visit",
    version: 1,
    schema: z.object({ status: z.enum(["waiting", "done"]), since: z.coerce.date() }),
    initial: { status: "waiting", since: new Date(0) },
    evolve: (state, event) => ({ status: event.type === "Left" ? "done" : state.status, since: event.recordedAt }),
  });
  const status: "waiting" | "done" = visit.initial().status;
  t.equal(status, "waiting");
  t.same(visit.revive({ status: "done", since: "2026-01-01T00:00:00.000Z" }).since, new Date("2026-01-01"));
  t.throws(() => visit.revive({ status: "gone" }));
  t.doesNotThrow(() =>
    // @ts-expect-error an initial state that the schema does not know
    defineReducer({ name: "r", version: 1, schema: z.object({ a: z.number() }), initial: { b: 1 }, evolve: (s) => s }),
  );
});

t.test("refused, with every problem", async (t) => {
  const good = { name: "r", version: 1, initial: {}, evolve: (state: object) => state };
  for (const [bad, problem] of [
    [{ name: "" }, "name has 1 to 255 characters, none of them a control character"],
    [{ version: 0 }, "version is at least 1"],
    [{ version: 1.5 }, "version is a whole number"],
    [{ initial: undefined }, "initial is what structuredClone can copy, and not undefined"],
    [{ initial: () => 1 }, "initial is what structuredClone can copy, and not undefined"],
    [{ evolve: 1 }, "evolve is a function"],
    [{ schema: {} }, "schema is a schema of zod"],
    [{ snapshotEvery: 0 }, "snapshotEvery is at least 1"],
    [{ keepSnapshots: 1001 }, "keepSnapshots is at most 1000"],
    [{ fold: 1 }, "unknown keys fold"],
  ] as const) {
    const call = () => Reflect.apply(defineReducer, undefined, [{ ...good, ...bad }]);
    t.throws(call, { code: "YD611", detail: { problems: [problem] } }, problem);
    t.throws(call, InvalidReducerError);
  }
});
