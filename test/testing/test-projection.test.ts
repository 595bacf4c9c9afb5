import t from "tap";
import { defineProjection, InlineProjectionError, type ProjectionDefinition, testProjection } from "../../src/index.ts";
import { testDatabase } from "../support/database.ts";

const prepare = `
  create schema clinic;
  grant usage on schema clinic to daybook_projector;
  create function clinic.queue(event daybook.event) returns void language plpgsql as $$ begin
    if event.type = 'PatientCheckedIn' then
      insert into queue (patient_id, since) values (event.data ->> 'patientId', event.occurred_at);
    else
      delete from queue q where q.patient_id = event.data ->> 'patientId';
    end if;
  end $$`;

const tables = { queue: "patient_id text primary key, since timestamptz not null" };
const checkedIn = (patientId: string, at = "2026-11-21T09:30:00Z") => ({
  streamId: "room-1",
  type: "PatientCheckedIn",
  data: { patientId },
  occurredAt: new Date(at),
});
const called = (patientId: string) => ({ streamId: "room-1", type: "PatientCalled", data: { patientId } });
const given = [checkedIn("b"), checkedIn("a"), checkedIn("c"), called("b")];
const expected = {
  queue: [
    { patient_id: "a", since: new Date("2026-11-21T09:30:00Z") },
    { patient_id: "c", since: new Date("2026-11-21T09:30:00Z") },
  ],
};

const code: ProjectionDefinition<{ patientId: string }> = {
  name: "queue",
  tables,
  async handle({ type, data, occurredAt }, { tx }) {
    if (type === "PatientCalled") await tx.query("delete from queue where patient_id = $1", [data.patientId]);
    else await tx.query("insert into queue values ($1, $2)", [data.patientId, occurredAt]);
  },
};

const projections = {
  SQL: defineProjection({ name: "queue", apply: "clinic.queue", tables }),
  "inline SQL": defineProjection({ name: "queue", apply: "clinic.queue", tables, mode: "inline" }),
  TypeScript: defineProjection(code),
};

for (const [kind, projection] of Object.entries(projections)) {
  t.test(`${kind}: given events, then rows`, async (t) => {
    t.strictSame(await testProjection(projection, { given, prepare }), expected, "in memory");
    const { db, pool } = await testDatabase(t);
    await pool.query("select daybook.append_event('room-2', 'PatientCheckedIn', '{\"patientId\": \"z\"}')");
    t.strictSame(await testProjection(projection, { given, prepare, db }), expected, "on a server");
    t.strictSame(await testProjection(projection, { given, prepare, db: pool, maxBatch: 1 }), expected, "one by one");
    const { rows } = await pool.query(
      "select count(*)::int as n, to_regnamespace('clinic') as left from daybook.events",
    );
    t.same(rows, [{ n: 1, left: null }], "nothing stays");
  });

  t.test(`${kind}: what fails`, async (t) => {
    const { db } = await testDatabase(t);
    const twice = testProjection(projection, { given: [checkedIn("a"), checkedIn("a")], prepare, db });
    if (kind === "inline SQL") await t.rejects(twice, InlineProjectionError);
    else await t.rejects(twice, { message: /duplicate key/, code: "23505" });
  });
}
