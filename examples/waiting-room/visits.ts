import { type Db, defineHandler, type StoredEvent } from "../../src/index.ts";
import { category } from "./domain.ts";

/**
 * Keeps one row a visit, for whoever asks how long people wait. Its writes and its place in the log commit together, so
 * each event counts once.
 */
export const visits = defineHandler({
  name: "waiting-room-visits",
  subscribesTo: { categories: [category] },
  async handle(event, { tx }) {
    if (event.type === "PatientCheckedIn") await open(tx, event);
    else await note(tx, event);
  },
});

async function open(tx: Db, event: StoredEvent): Promise<void> {
  await tx.query(
    `insert into waiting_room.visits (visit_id, run, room, priority, checked_in_at)
     values ($1::uuid, $2, $3, $4, $5)`,
    [event.correlationId, event.metadata.run ?? null, event.streamId, event.data.priority, event.occurredAt],
  );
}

const columns: Readonly<Record<string, string>> = {
  PatientCalled: "called_at = $2, desk = $3",
  PatientAttended: "attended_at = $2, desk = $3",
  PatientLeft: "left_at = $2, desk = coalesce($3, desk)",
};

async function note(tx: Db, event: StoredEvent): Promise<void> {
  const change = columns[event.type];
  if (!change) return;
  await tx.query(`update waiting_room.visits set ${change} where visit_id = $1::uuid`, [
    event.correlationId,
    event.occurredAt,
    event.data.desk ?? null,
  ]);
}
