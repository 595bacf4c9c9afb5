import t from "tap";
import { append, consumerStore, finish } from "./drains.ts";
import { refused, writesNothing } from "./support.ts";

t.test("definitions that cannot be: YD502, with every problem, and nothing written", async (t) => {
  const { worker, owner, admin, writer } = await consumerStore(t);
  await append(writer, ["a-1"]);
  await worker.query("select daybook.create_handler('there'), daybook.create_handler('bound', tenant_id => 'one')");
  await admin.query("select daybook.replay_handler('there', 'start', 'replay')");
  await writesNothing(t, owner, "all", async () => {
    for (const [call, problem] of [
      ["null", /named/],
      ["''", /named/],
      ["e'a\\nb'", /named/],
      [`'${"x".repeat(256)}'`, /named/],
      ["'h', types => '{}'", /types/],
      ["'h', types => '{a,null}'", /types/],
      ["'h', types => array['']", /types/],
      ["'h', types => '{{a},{b}}'", /types/],
      ["'h', categories => '{}'", /categories/],
      [`'h', categories => array['${"x".repeat(256)}']`, /categories/],
      ["'h', shards => 0", /shards/],
      ["'h', shards => 129", /shards/],
      ["'h', shards => null", /shards/],
      ["'h', on_failure => 'ignore'", /on_failure/],
      ["'h', on_failure => null", /on_failure/],
      ["'h', max_attempts => 0", /max_attempts/],
      ["'h', max_attempts => null", /max_attempts/],
      ["'h', base_delay => '0'", /base_delay/],
      ["'h', base_delay => '-1 second'", /base_delay/],
      ["'h', base_delay => '6 minutes'", /base_delay/],
      ["'h', max_delay => null", /base_delay/],
      ["'h', max_delay => '2 years'", /max_delay/],
      ["'there', tenant_id => 'one'", /follows every tenant/],
      ["'bound'", /follows tenant 'one'/],
      ["'replay'", /replay of 'there'/],
    ] as const) {
      const detail = await refused(t, "YD502", call, () => worker.query(`select daybook.create_handler(${call})`));
      t.match(detail, { kind: "handler", problems: [problem] }, call);
    }
    t.match(
      await refused(t, "YD502", "several", () =>
        worker.query("select daybook.create_handler('', shards => 0, types => '{}')"),
      ),
      { name: "", problems: [/named/, /types/, /shards/] },
    );
    for (const from of ["soon", "", "-1", "1.5", "2026-01-01", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z"]) {
      await refused(t, "YD108", from, () =>
        worker.query("select daybook.create_handler('h', start_from => $1)", [from]),
      );
      await refused(t, "YD108", from, () =>
        worker.query("select daybook.create_handler('there', start_from => $1)", [from]),
      );
      await refused(t, "YD108", from, () => admin.query("select daybook.reset_handler('there', $1)", [from]));
    }
    await refused(t, "YD108", "null", () => worker.query("select daybook.create_handler('h', start_from => null)"));
    await refused(t, "YD403", "beyond the end", () =>
      worker.query("select daybook.create_handler('h', start_from => '2')"),
    );
    for (const tenant of ["''", "'*'"])
      await refused(t, "YD203", tenant, () =>
        worker.query(`select daybook.create_handler('h', tenant_id => ${tenant})`),
      );
  });
});

t.test("there is no such handler or route: YD501", async (t) => {
  const { worker, admin, owner } = await consumerStore(t);
  await writesNothing(t, owner, "all", async () => {
    for (const call of [
      "pause_handler('x')",
      "pause_handler(null)",
      "drop_handler('x')",
      "resume_handler('x')",
      "reset_handler('x')",
      "replay_handler('x', 'start', 'y')",
      "handler_position('x')",
      "halt_consumer('handler', 'x', 'why')",
      "claim_consumer('handler', 'x', 0, 1)",
      "claim_parked('handler', 'x', 0, 1)",
      "read_events_for('x', 0, 1)",
      "read_parked_events('x', 'a-1', 0, 1)",
    ])
      t.match(
        await refused(t, "YD501", call, () => admin.query(`select * from daybook.${call}`)),
        { kind: "handler" },
        call,
      );
    for (const call of [
      "pause_route('x')",
      "resume_route('x')",
      "reset_route('x')",
      "claim_consumer('route', 'x', 0, 1)",
    ])
      t.match(await refused(t, "YD501", call, () => admin.query(`select * from daybook.${call}`)), {
        kind: "route",
        name: "x",
      });
    await refused(t, "YD501", "no kind", () => worker.query("select daybook.claim_consumer('handlers', 'x', 0, 1)"));
    await refused(t, "YD506", "no reason", () => worker.query("select daybook.halt_consumer('handler', 'x', '')"));
  });
});

t.test("arguments of drains out of bounds: YD108", async (t) => {
  const { worker, owner } = await consumerStore(t);
  await worker.query("select daybook.create_handler('h')");
  await writesNothing(t, owner, "all", async () => {
    for (const [from, to] of [
      [1, 0],
      [null, 0],
      [0, null],
    ])
      await refused(t, "YD108", `from ${from} to ${to}`, () => finish(worker, { name: "h" }, from, to));
    for (const call of [
      "read_events_for('h', -1, 1)",
      "read_events_for('h', null, 1)",
      "read_events_for('h', 0, 1, 0)",
      "read_events_for('h', 0, 1, null)",
      "read_parked_events('h', 'a-1', 0, 1, 0)",
      "move_idle_consumers(-1, 1)",
      "move_idle_consumers(null, 1)",
      "move_idle_consumers(0, 1, 0)",
    ])
      await refused(t, "YD108", call, () => worker.query(`select * from daybook.${call}`));
  });
});
