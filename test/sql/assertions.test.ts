import t from "tap";
import { testDatabase } from "../support/database.ts";
import { advance, status } from "./projecting.ts";
import { column, connect, refused, rows, value } from "./support.ts";

/*
 * PL/pgSQL's `when others` lets a failed ASSERT through. Where code of somebody else's is called it is a failure like others.
 */

const database = await testDatabase(t);
const owner = await connect(t, database.url);
await owner.query(`
  create schema app;
  grant usage on schema app to daybook_projector;
  create function app.checked(event daybook.event) returns void language plpgsql as $$ begin
    assert event.type <> 'Wrong', 'it is wrong';
    insert into checked values (event.position);
  end $$;
  create function app.counted(state jsonb, event daybook.event) returns jsonb language plpgsql immutable as $$ begin
    assert event.type <> 'Wrong', 'it is wrong';
    return to_jsonb(state::int + 1);
  end $$;
  create function app.mapped(event daybook.event) returns jsonb language plpgsql as $$ begin
    assert event.type <> 'Wrong', 'it is wrong';
    return '{}';
  end $$`);
const cause = { code: "P0004", message: "it is wrong" };
const append = (type: string) => value(owner, "select daybook.append_event('a-1', $1)", [type]);
const create = (options: string) =>
  value(owner, `select daybook.create_projection('checked', 'app.checked', '{"checked": "p bigint"}'${options})`);

t.test("a projection that follows the log fails on its event, and stays there", async (t) => {
  for (const type of ["Right", "Wrong", "Right"]) await append(type);
  await create(", max_attempts => 1");
  t.match(await advance(owner, "checked"), { handled: 1, position: 1, outcome: "halted" });
  t.match(await status(owner, "checked"), { state: "halted", last_error: { ...cause, position: 2 } });
  await owner.query("select daybook.drop_projection('checked')");
});

t.test("an inline one refuses the append", async (t) => {
  await create(", mode => 'inline', start_from => 'now'");
  t.match(await refused(t, "YD607", "one event", () => append("Wrong")), { projection: "checked", cause });
  const two = () => rows(owner, `select daybook.append('a-1', '[{"type": "Right"}, {"type": "Wrong"}]')`);
  t.match(await refused(t, "YD607", "two events", two), { projection: "checked", cause });
  const appends = ["Right", "Wrong", "Right"].map((type, i) => ({ stream_id: `b-${i}`, events: [{ type }] }));
  t.same(await column(owner, "select status from daybook.append_batch($1)", [JSON.stringify(appends)]), [
    "appended",
    "failed",
    "appended",
  ]);
  t.equal(await value(owner, "select count(*) from daybook_projections.checked"), 2);
  await owner.query("select daybook.drop_projection('checked')");
});

t.test("a reducer says at which event", async (t) => {
  t.match(await refused(t, "YD612", "fold", () => rows(owner, "select daybook.fold('a-1', 'app.counted', '0')")), {
    version: 2,
    cause,
  });
});

t.test("a mapping refuses the append", async (t) => {
  await owner.query("select daybook.create_route('mapped', 'queue', mapping => 'app.mapped')");
  t.match(await refused(t, "YD505", "append", () => append("Wrong")), { route: "mapped", cause });
});
