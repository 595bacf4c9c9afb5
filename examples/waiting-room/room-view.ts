import { z } from "zod";
import type { Store, StoredEvent } from "../../src/index.ts";
import { emptyRoom, evolve, priorities, type Room, type RoomEvent } from "./domain.ts";

/** A room as somebody last saw it. */
export interface RoomView {
  readonly streamId: string;
  room: Room;
  version: bigint;
  /** The last event of each visit, which the next one is caused by. */
  readonly lastEvents: Map<string, string>;
}

const patientId = z.string();
const desk = z.string();

/** What comes from a database is looked at before it is believed. */
const roomEvent: z.ZodType<RoomEvent> = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("PatientCheckedIn"),
    data: z.object({ patientId, visitId: z.string(), priority: z.enum(priorities) }),
  }),
  z.object({ type: z.literal("PatientCalled"), data: z.object({ patientId, desk }) }),
  z.object({ type: z.literal("PatientAttended"), data: z.object({ patientId, desk }) }),
  z.object({ type: z.literal("PatientLeft"), data: z.object({ patientId, attended: z.boolean() }) }),
]);

export function newView(streamId: string): RoomView {
  return { streamId, room: emptyRoom, version: 0n, lastEvents: new Map() };
}

/** Takes in an event, if it is the next one: false if there is one missing in between, or it was seen before. */
export function takeIn(view: RoomView, stored: StoredEvent): boolean {
  if (stored.version !== view.version + 1n) return false;
  const event = roomEvent.parse(stored);
  view.room = evolve(view.room, event);
  view.version = stored.version;
  if (stored.correlationId !== null) {
    if (event.type === "PatientLeft") view.lastEvents.delete(stored.correlationId);
    else view.lastEvents.set(stored.correlationId, stored.eventId);
  }
  return true;
}

/** Reads what has happened since the last look. */
export async function lookAgain(store: Store, view: RoomView): Promise<void> {
  for await (const event of store.iterateStream({ streamId: view.streamId, fromVersion: view.version + 1n })) {
    takeIn(view, event);
  }
}
