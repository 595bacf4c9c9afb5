import t from "tap";
import { testDatabase } from "../support/database.ts";
import { connect, type Row, rows } from "./support.ts";

const database = await testDatabase(t);
const db = await connect(t, database.url);
const read = async (reads: unknown, more = ""): Promise<unknown[]> =>
  (
    await rows(
      db,
      `select stream_id, stream_version, (event).version, (event).type, event is null as none from daybook.read_streams($1${more})`,
      [JSON.stringify(reads)],
    )
  ).map((r) => [r.stream_id, r.stream_version, r.none ? null : [r.version, r.type]]);

await db.query(`
  select daybook.append('a-1', '[{"type": "A1"}, {"type": "A2"}, {"type": "A3"}]');
  select daybook.append('b-1', '[{"type": "B1"}]');
  select daybook.append('b-1', '[{"type": "Other"}, {"type": "Other"}]', tenant_id => 'other')`);

t.test("streams in the order asked for, each with its version, also those that have nothing to give", async (t) => {
  t.same(await read(["b-1", "nothing-1", "a-1"]), [
    ["b-1", 1, [1, "B1"]],
    ["nothing-1", 0, null],
    ["a-1", 3, [1, "A1"]],
    ["a-1", 3, [2, "A2"]],
    ["a-1", 3, [3, "A3"]],
  ]);
  t.same(await read([{ stream_id: "a-1", from_version: 3 }, "b-1"]), [
    ["a-1", 3, [3, "A3"]],
    ["b-1", 1, [1, "B1"]],
  ]);
  t.same(await read([{ stream_id: "a-1", from_version: 4 }, { stream_id: "b-1" }]), [
    ["a-1", 3, null],
    ["b-1", 1, [1, "B1"]],
  ]);
  t.same(await read([{ stream_id: "a-1", from_version: 0 }], ", 2"), [
    ["a-1", 3, [1, "A1"]],
    ["a-1", 3, [2, "A2"]],
  ]);
  t.same(await read(["b-1", "a-1"], ", tenant_id => 'other'"), [
    ["b-1", 2, [1, "Other"]],
    ["b-1", 2, [2, "Other"]],
    ["a-1", 0, null],
  ]);
  t.same(await read(["a-1", { stream_id: "a-1", from_version: 3 }], ", 1"), [
    ["a-1", 3, [1, "A1"]],
    ["a-1", 3, [3, "A3"]],
  ]);
});

t.test("the events are those of read_stream", async (t) => {
  t.same(
    (await rows(db, `select (r.event).* from daybook.read_streams('["a-1"]') r`)) as Row[],
    await rows(db, "select * from daybook.read_stream('a-1')"),
  );
});

t.test("versions and events are of one moment, whatever is appended meanwhile", async (t) => {
  const writer = await connect(t, database.url);
  let writing = true;
  const write = (async () => {
    while (writing) {
      await writer.query(
        `select daybook.append_streams('[{"stream_id": "left-1", "events": [{"type": "T"}]}, {"stream_id": "right-1", "events": [{"type": "T"}]}]')`,
      );
    }
  })();
  const seen = new Set<unknown>();
  const torn: unknown[] = [];
  const deadline = Date.now() + 20_000;
  for (let n = 0; n < 150 || (seen.size <= 10 && Date.now() < deadline); n++) {
    const all = await rows(
      db,
      `select array_agg(distinct stream_version) as versions, max((event).version) as last, count((event).version) as events
         from daybook.read_streams('["left-1", "right-1", "left-1"]', 100000)`,
    );
    const [one] = all;
    const [version, other] = Array.isArray(one?.versions) ? one.versions.map(Number) : [];
    seen.add(version);
    if (
      other !== undefined ||
      (version !== 0 && (Number(one?.last) !== version || Number(one?.events) !== 3 * Number(version)))
    )
      torn.push(one);
  }
  writing = false;
  await write;
  t.same(torn, []);
  t.ok(seen.size > 10, `${seen.size} moments seen`);
});
