import type { Test } from "tap";
import { createFunctions, journal } from "../../sql/projecting.ts";
import { testDatabase } from "../../support/database.ts";
import { type Session, sessions } from "./sessions.ts";

/**
 * An inline projection whose rows tell of the order in which they were written, with what rests on its view; sessions that
 * append beside each other, and one that switches.
 */
export async function journalled(t: Test) {
  const database = await testDatabase(t);
  await createFunctions(database.pool);
  const open = await sessions(t, database.url, ["owner", "before", "after", "late", "switcher"]);
  const { owner, switcher } = open;
  const role = `${database.name}_sees`;
  database.logins.push(role);
  await owner.rows(`create role ${role}`);
  const tables = JSON.stringify({ journal });
  for (let i = 0; i < 12; i += 1) await owner.rows("select daybook.append_event($1, 'T')", [`s-${i % 3}`]);
  await owner.rows("select daybook.create_projection('journal', 'app.journal', $1, mode => 'inline')", [tables]);
  await owner.rows(`create view app.on_top as select stream_id, max(version) as version from daybook_projections.journal group by 1;
    grant select on daybook_projections.journal to ${role}`);
  const oid = await owner.value("select 'daybook_projections.journal'::regclass::oid");

  return {
    ...open,

    append: (session: Session, stream: string) =>
      session.outcome("select daybook.append_event($1, 'T'), daybook.append_event($1, 'T')", [stream]),

    /** Due at once, whatever it waited for before. */
    async switchTo(consumer: string): Promise<string> {
      await owner.rows(
        "update daybook.projection_versions set switch_at = null, waits_for = null where switch_at is not null",
      );
      return switcher.value<string>("select outcome from daybook.advance_projection($1)", [consumer]);
    },

    async rebuilt(): Promise<string> {
      const version = await owner.value<number>("select daybook.rebuild_projection('journal')");
      return `journal@${version}`;
    },

    /** Every event once, with all that came before it in its stream; and what rests on the view is as it was. */
    async isWhole(t: Test): Promise<void> {
      t.same(
        await owner.rows("select * from daybook_projections.journal order by position"),
        await owner.rows(
          "select position, stream_id, version, version - 1 as before from daybook.events order by position",
        ),
        "each event once, and in order",
      );
      t.same(
        await owner.rows("select * from app.on_top order by 1"),
        await owner.rows("select stream_id, version from daybook.streams order by 1"),
        "what rests on its view sees them",
      );
      t.equal(await owner.value("select 'daybook_projections.journal'::regclass::oid"), oid);
      t.ok(await owner.value("select has_table_privilege($1, 'daybook_projections.journal', 'select')", [role]));
    },
  };
}
