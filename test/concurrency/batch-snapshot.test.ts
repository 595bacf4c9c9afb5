import t from "tap";
import { testDatabase } from "../support/database.ts";
import { sessions } from "./support/sessions.ts";

/*
 * The statement of a batch has its snapshot before it locks its streams. What somebody else commits to one of them in
 * between is not to be overwritten: the batch appends behind it.
 */

const { url } = await testDatabase(t);
const { a, b, controller } = await sessions(t, url, ["a", "b", "controller"]);
await controller.rows("select daybook.append_event(s, 'First') from unnest(array['raced-1', 'calm-1']) s");
// looked at while the events are checked, so after the snapshot and before the locks; without waiting for a lock, as a
// batch does so for a few milliseconds only
await controller.rows(`
  create or replace function daybook._repeats_event_id(events jsonb) returns boolean language plpgsql as $$
  begin
    perform pg_advisory_lock(2);
    while not pg_try_advisory_lock(1) loop
      perform pg_sleep(0.001);
    end loop;
    perform pg_advisory_unlock(1), pg_advisory_unlock(2);
    return false;
  end $$`);

t.test("a stream that moved on between the snapshot of a batch and its lock", async (t) => {
  await controller.rows("select pg_advisory_lock(1)");
  const batch = a.rows(
    `select entry, status, stream_version::int as version from daybook.append_batch('[
       {"stream_id": "raced-1", "events": [{"type": "Ours"}, {"type": "Ours"}]},
       {"stream_id": "calm-1", "events": [{"type": "Ours"}, {"type": "Ours"}]}]')`,
  );
  while (
    (await controller.rows("select from pg_locks where locktype = 'advisory' and objid = 2 and objsubid = 1"))
      .length === 0
  );
  await b.rows("select daybook.append_event('raced-1', 'Theirs')");
  await controller.rows("select pg_advisory_unlock(1)");

  t.match(await batch, [
    { entry: 0, status: "appended", version: 4 },
    { entry: 1, status: "appended", version: 3 },
  ]);
  const found = await controller.rows(
    "select stream_id, array_agg(version::text || type order by version) as events from daybook.events group by 1 order by 1",
  );
  t.match(found, [
    { stream_id: "calm-1", events: ["1First", "2Ours", "3Ours"] },
    { stream_id: "raced-1", events: ["1First", "2Theirs", "3Ours", "4Ours"] },
  ]);
  t.equal(await controller.value("select version::int from daybook.streams where stream_id = 'raced-1'"), 4);
});
