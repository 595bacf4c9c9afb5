import t from "tap";
import { append, batch, claim, claimParked, consumerStore, finish, handler, positions } from "./drains.ts";
import { inTransaction, refused, rows, value, writesNothing } from "./support.ts";

t.test(
  "a batch: claimed, read, done, in one transaction; the position moves with the effects or not at all",
  async (t) => {
    const { worker, other, writer, owner } = await consumerStore(t);
    await append(writer, ["a-1", "b-1", "a-1"]);
    t.equal(await value(worker, "select daybook.create_handler('h')"), true);
    await worker.query("begin");
    t.match(await claim(worker, { name: "h" }), [
      { position: 0, horizon: 3, types: null, on_failure: "park", has_parked: false, attempts: 0 },
    ]);
    t.same(await claim(other, { name: "h" }), [], "somebody else has it");
    t.same(await claimParked(other, { name: "h" }), []);
    await finish(worker, { name: "h" }, 0, 2);
    await worker.query("rollback");
    t.equal(await value(worker, "select daybook.handler_position('h')"), 0);
    t.same(positions(await batch(other, { name: "h", max: 2 })), [1, 2]);
    t.same(positions(await batch(worker, { name: "h", max: 2 })), [3]);
    t.same(await batch(worker, { name: "h" }), undefined, "nothing more");
    await owner.query("begin; select daybook.append_event('a-1', 'T')");
    await append(writer, ["b-1"]);
    t.same(await batch(worker, { name: "h" }), undefined, "not past what is in flight");
    await owner.query("commit");
    t.same(positions(await batch(worker, { name: "h" })), [4, 5]);
  },
);

t.test("a handler is given what it follows, and moves on over what it does not", async (t) => {
  const { worker, writer } = await consumerStore(t);
  for (const tenant of ["default", "other"]) {
    await append(writer, ["a-1", "b-1"], "T", tenant);
    await append(writer, ["a-1", "b-1"], "U", tenant);
  }
  await writer.query("select daybook.append_event('z-' || i % 10, 'Z') from generate_series(1, 5000) i");
  await append(writer, ["a-1"], "T");
  const last = 5009;
  for (const [name, definition, expected] of [
    ["all", "", 5009],
    ["types", ", types => '{T,None}'", [1, 2, 5, 6, last]],
    ["categories", ", categories => '{b}'", [2, 4, 6, 8]],
    ["both", ", types => '{T}', categories => '{a}'", [1, 5, last]],
    ["tenant", ", tenant_id => 'other'", [5, 6, 7, 8]],
    ["none", ", types => '{None}'", []],
    ["since", ", types => '{T}', start_from => '5'", [6, last]],
  ] as const) {
    await worker.query(`select daybook.create_handler('${name}'${definition})`);
    const seen: unknown[] = [];
    for (;;) {
      const events = await batch(worker, { name, max: 400 });
      if (events === undefined) break;
      seen.push(...(positions(events) ?? []));
    }
    if (typeof expected === "number") t.equal(seen.length, expected, name);
    else t.same(seen, expected, name);
    t.equal(await value(worker, "select daybook.handler_position($1)", [name]), last, `${name}: it has seen it all`);
  }
  t.same(positions(await rows(worker, "select * from daybook.read_events_for('types', 0, 5009, 4)")), [1, 2, 5, 6]);
  t.same(
    positions(await rows(worker, "select * from daybook.read_events_for('types', 1, 5000, 4)")),
    [2, 5, 6],
    "not past the horizon it is given",
  );
});

t.test("an event as it is read for a handler is the event of read_all", async (t) => {
  const { worker, writer } = await consumerStore(t);
  await writer.query(
    `select daybook.append_event('a-1', 'T', '{"a": 1}', '{"m": 1}', tags => '{x}', occurred_at => '2020-01-01Z', correlation_id => daybook.uuid_v7(), tenant_id => 'other')`,
  );
  await worker.query("select daybook.create_handler('h'), daybook.create_handler('rare', types => '{T}')");
  const [event] = await rows(worker, "select * from daybook.read_all(tenant_id => '*')");
  for (const name of ["h", "rare"])
    t.same(await rows(worker, "select * from daybook.read_events_for($1, 0, 1)", [name]), [event], name);
  t.same(await rows(worker, "select * from daybook.read_parked_events('h', 'a-1', 1, 1, tenant_id => 'other')"), [
    event,
  ]);
});

t.test("a drain that no longer owns the shard moves nothing: YD503", async (t) => {
  const { worker, admin, writer, owner } = await consumerStore(t);
  await append(writer, ["a-1", "a-1", "a-1"]);
  await worker.query("select daybook.create_handler('h')");
  await finish(worker, { name: "h" }, 0, 2);
  const stale = async (name: string, call: () => Promise<unknown>) => {
    let detail = {};
    await writesNothing(t, owner, name, async () => {
      detail = await refused(t, "YD503", name, call);
    });
    return detail;
  };
  t.same(await stale("the position moved", () => finish(worker, { name: "h" }, 0, 3)), {
    kind: "handler",
    name: "h",
    shard: 0,
    position: 2,
    expected: 0,
  });
  t.match(await stale("no such shard", () => finish(worker, { name: "h", shard: 1 }, 2, 3)), {
    position: null,
    shard: 1,
  });
  t.match(await stale("no such handler", () => finish(worker, { name: "x" }, 2, 3)), { name: "x" });
  await admin.query("select daybook.pause_handler('h')");
  await stale("paused", () => finish(worker, { name: "h" }, 2, 3));
  await admin.query("select daybook.resume_handler('h'), daybook.reset_handler('h')");
  await stale("reset", () => finish(worker, { name: "h" }, 2, 3));
  await stale("not parked", () => worker.query("select daybook.finish_parked('handler', 'h', 'a-1', 1, 1)"));
});

t.test("a position beyond the end of the log stops that handler, loudly, and no other: YD403", async (t) => {
  const { worker, writer, owner, admin } = await consumerStore(t);
  await append(writer, ["a-1", "a-1"]);
  await worker.query("select daybook.create_handler('ahead'), daybook.create_handler('fine')");
  await finish(worker, { name: "ahead" }, 0, 2);
  await refused(t, "YD403", "finish_batch beyond the end", () => finish(worker, { name: "fine" }, 0, 3));
  await owner.query("update daybook.cursors set position = 9 where name = 'ahead'");
  t.match(await refused(t, "YD403", "claim_consumer", () => claim(worker, { name: "ahead" })), {
    kind: "handler",
    name: "ahead",
    position: 9,
    last_position: 2,
  });
  await refused(t, "YD403", "claim_parked", () => claimParked(worker, { name: "ahead" }));
  await refused(t, "YD403", "handler_position", () => worker.query("select daybook.handler_position('ahead')"));
  t.match(await handler(admin, "ahead"), { state: "running", needs_person: true, behind: 0 });
  t.same(positions(await batch(worker, { name: "fine" })), [1, 2]);
  t.same(await rows(worker, "select * from daybook.due_consumers(2, 2)"), [], "whoever looks for work halts it");
  await append(
    writer,
    Array.from({ length: 9 }, () => "a-1"),
  );
  t.same(await claim(worker, { name: "ahead" }), [], "halted, it stays so when the log has grown past it");
  t.match(await handler(admin, "ahead"), {
    state: "halted",
    state_reason: /beyond the end of the log/,
    needs_person: true,
  });
  await admin.query("select daybook.reset_handler('ahead', '2')");
  t.equal((await batch(worker, { name: "ahead" }))?.length, 9);
  t.equal(await value(worker, "select daybook.halt_consumer('handler', 'ahead', 'cannot go on')"), true);
  t.equal(await value(worker, "select daybook.halt_consumer('handler', 'ahead', 'again')"), false);
  t.match(await handler(admin, "ahead"), { state: "halted", state_reason: "cannot go on" });
});

t.test(
  "the log is read for handlers under READ COMMITTED only, and in no session narrowed to one tenant",
  async (t) => {
    const { worker, writer } = await consumerStore(t);
    await append(writer, ["a-1"]);
    await append(writer, ["a-1"], "T", "other");
    await worker.query("select daybook.create_handler('h'), daybook.create_handler('bound', tenant_id => 'other')");
    const calls = [
      "claim_consumer('handler', 'h', 0, 1)",
      "claim_consumer('handler', 'h', 0, 1, known_horizon => 1)",
      "claim_parked('handler', 'h', 0, 1)",
      "due_consumers(0, 1)",
      "move_idle_consumers(0, 1)",
    ];
    for (const call of calls) {
      await worker.query("begin isolation level repeatable read");
      await refused(t, "YD402", call, () => worker.query(`select * from daybook.${call}`));
      await worker.query("rollback");
    }
    for (const call of [...calls, "read_events_for('h', 0, 1)"]) {
      await worker.query("begin; set local daybook.tenant = 'other'");
      await refused(t, "YD202", call, () => worker.query(`select * from daybook.${call}`));
      await worker.query("rollback");
    }
    await inTransaction(worker, async () => {
      await worker.query("set local daybook.tenant = 'other'");
      t.same(positions(await rows(worker, "select * from daybook.read_events_for('bound', 0, 2)")), [2]);
    });
    await inTransaction(worker, async () => {
      const [claimed] = await claim(worker, { name: "h" });
      await worker.query("set local daybook.tenant = 'other'");
      await finish(worker, { name: "h" }, claimed?.position, claimed?.horizon);
    });
    t.equal(
      await value(worker, "select daybook.handler_position('h')"),
      2,
      "what the handler ran in may be narrowed still",
    );
  },
);
