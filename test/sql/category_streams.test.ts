import t from "tap";
import { testDatabase } from "../support/database.ts";
import { column, connect, rows } from "./support.ts";

const database = await testDatabase(t);
const db = await connect(t, database.url);

t.test("category_streams: the streams of one category by name, page by page", async (t) => {
  const names = [
    "cat",
    "cat-",
    "cat-1",
    "cat-10",
    "cat-2",
    "cat-2-3",
    "cat-Z",
    "cat-é",
    "cat.dog-1",
    "cat dog-1",
    "cats-1",
    "ca-1",
    "CAT-1",
  ];
  for (const name of names) await db.query("select daybook.append_event($1, 'T')", [name]);
  await db.query("select daybook.append_event('cat-3', 'T', tenant_id => 'other')");
  await db.query(`select daybook.append_streams('[{"stream_id": "cat-checked", "expected_version": 0}]')`);
  const mine = names.filter((n) => n === "cat" || n.startsWith("cat-"));
  t.same(await column(db, "select stream_id from daybook.category_streams('cat')"), mine);
  t.same(
    await rows(db, "select * from daybook.category_streams('cat', max_count => 1)"),
    await rows(
      db,
      "select stream_id, version, first_recorded_at, last_recorded_at from daybook.streams where stream_id = 'cat'",
    ),
  );
  t.same(await column(db, "select stream_id from daybook.category_streams('cat', tenant_id => 'other')"), ["cat-3"]);
  t.same(await column(db, "select stream_id from daybook.category_streams('nothing')"), []);
  const read: unknown[] = [];
  for (;;) {
    const next = await column(db, "select stream_id from daybook.category_streams('cat', $1, 3)", [read.at(-1) ?? ""]);
    read.push(...next);
    if (next.length < 3) break;
  }
  t.same(read, mine, "in pages");
});
