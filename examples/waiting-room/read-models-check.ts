import type pg from "pg";
import { createStore } from "../../src/index.ts";
import { category, priorities, waiting } from "./domain.ts";
import { newView, type RoomView, takeIn } from "./room-view.ts";

/*
 * Whether the read models say what the log says: what they hold, against a fold of all of it with the functions that decide.
 */

/** A row of the board, of the patients or of the figures, as a text that can be compared. */
type Lines = ReadonlySet<string>;

/** How many rows are not as they must be: missing, too many, or others. */
export async function countDifferences(pool: pg.Pool): Promise<number> {
  const [expected, found] = [await foldLog(pool), await readRows(pool)];
  return (
    [...expected].filter((line) => !found.has(line)).length + [...found].filter((line) => !expected.has(line)).length
  );
}

interface Fold {
  readonly view: RoomView;
  arrived: number;
  called: number;
  attended: number;
  gaveUp: number;
}

async function foldLog(pool: pg.Pool): Promise<Lines> {
  const rooms = new Map<string, Fold>();
  for await (const event of createStore(pool).iterateAll({ categories: [category] })) {
    const { streamId, type, data } = event;
    const room = rooms.get(streamId) ?? { view: newView(streamId), arrived: 0, called: 0, attended: 0, gaveUp: 0 };
    rooms.set(streamId, room);
    takeIn(room.view, event);
    if (type === "PatientCheckedIn") room.arrived += 1;
    else if (type === "PatientCalled") room.called += 1;
    else if (type === "PatientAttended") room.attended += 1;
    else if (data.attended === false) room.gaveUp += 1;
  }
  const lines = new Set<string>();
  for (const [id, { view, arrived, called, attended, gaveUp }] of rooms) {
    const { room } = view;
    lines.add(lineOf("figures", id, arrived, called, attended, gaveUp));
    for (const { patientId, visitId, stage, desk } of room.patients) {
      lines.add(lineOf("patient", id, visitId, patientId, stage, desk));
    }
    // those who wait, the most urgent first; of these, as they came
    const queue = priorities.flatMap((priority) => waiting(room).filter((patient) => patient.priority === priority));
    for (const [index, { patientId }] of queue.entries()) lines.add(lineOf("board", id, index + 1, patientId));
  }
  return lines;
}

async function readRows(pool: pg.Pool): Promise<Lines> {
  const read = async (name: string, columns: string, relation: string) => {
    const { rows } = await pool.query({ text: `select ${columns} from ${relation}`, rowMode: "array" });
    return rows.map((row: unknown[]) => lineOf(name, ...row));
  };
  return new Set([
    ...(await read("figures", "room, arrived, called, attended, gave_up", "waiting_room.daily_figures")),
    ...(await read("patient", "room, visit_id, patient_id, stage, desk", "waiting_room.waiting_patients")),
    ...(await read("board", "room, place::integer, patient_id", "waiting_room.board")),
  ]);
}

function lineOf(...values: readonly unknown[]): string {
  return JSON.stringify(values);
}
