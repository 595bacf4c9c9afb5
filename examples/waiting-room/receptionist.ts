import { setTimeout as sleep } from "node:timers/promises";
import { createEvent, type Store, WrongExpectedVersionError } from "../../src/index.ts";
import { type Command, decide, findPatient, type RoomEvent, roomStream } from "./domain.ts";
import { lookAgain, newView, type RoomView } from "./room-view.ts";
import { nextCommand, type Random } from "./simulation.ts";

/** Somebody at a desk of a room. Several share a room, and each sees it as it was at their last look. */
export interface Receptionist {
  readonly room: string;
  readonly desk: string;
  readonly random: Random;
}

/** What receptionists have in common. */
export interface Office {
  readonly store: Store;
  /** Marks the events of this run. */
  readonly run: string;
  /** Waits for a turn: so the rate is kept. */
  readonly turn: () => Promise<void>;
  /** Told when an event is stored, and how many milliseconds the append took. */
  readonly onStored: (eventId: string, took: number) => void;
  readonly onConflict: () => void;
  readonly signal: AbortSignal;
}

/** Works until told to stop. */
export async function work(office: Office, receptionist: Receptionist): Promise<void> {
  const { room, desk, random } = receptionist;
  let view = newView(roomStream(room, new Date()));
  while (!office.signal.aborted) {
    await office.turn();
    if (office.signal.aborted) return;
    const today = roomStream(room, new Date());
    if (today !== view.streamId) view = newView(today);
    await lookAgain(office.store, view);
    const command = nextCommand(view.room, desk, random, () => crypto.randomUUID());
    await handle(office, receptionist, view, command);
  }
}

/** A command, seen through: who finds that somebody else was quicker looks again and decides again. */
async function handle(office: Office, receptionist: Receptionist, view: RoomView, command: Command): Promise<void> {
  for (;;) {
    const decision = decide(view.room, command);
    if (decision.outcome === "refused") return;
    // a moment between looking and acting, as people take it
    await sleep(receptionist.random() * 8);
    try {
      await append(office, receptionist, view, decision.event);
      return;
    } catch (error) {
      if (!(error instanceof WrongExpectedVersionError)) throw error;
      office.onConflict();
      await lookAgain(office.store, view);
    }
  }
}

async function append(office: Office, { desk }: Receptionist, view: RoomView, event: RoomEvent): Promise<void> {
  const { patientId } = event.data;
  const visitId = event.type === "PatientCheckedIn" ? event.data.visitId : findPatient(view.room, patientId)?.visitId;
  const stored = createEvent<RoomEvent["data"]>({
    ...event,
    metadata: { run: office.run, desk },
    correlationId: visitId,
    causationId: visitId === undefined ? undefined : view.lastEvents.get(visitId),
  });
  const start = performance.now();
  await office.store.append({ streamId: view.streamId, events: stored, expectedVersion: view.version });
  office.onStored(stored.eventId, performance.now() - start);
}
