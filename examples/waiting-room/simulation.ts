import { type Command, calledTo, type Patient, type Priority, type Room, waiting } from "./domain.ts";

/** A number from 0 up to 1; the same seed gives the same numbers. */
export type Random = () => number;

/** mulberry32, by Tommy Ettinger: small, and random enough for people. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Who lives around here. */
const town = 5000;

/** What happens next at a desk, going by what its receptionist sees. */
export function nextCommand(room: Room, desk: string, random: Random, newVisit: () => string): Command {
  const called = calledTo(room, desk);
  if (called) {
    // one in twelve does not come
    return random() < 1 / 12 ? { do: "leave", patientId: called.patientId } : { do: "attend", desk };
  }
  const attended = room.patients.filter((patient) => patient.stage === "attended");
  const leaving = pick(attended, random);
  if (leaving && random() < 0.5) return { do: "leave", patientId: leaving.patientId };
  const queue = waiting(room);
  const impatient = pick(queue.filter(isPatienceShort), random);
  if (impatient && random() < queue.length / 150) return { do: "leave", patientId: impatient.patientId };
  // the fuller the room, the fewer come in
  if (random() < 0.75 - queue.length / 25) {
    const patientId = `patient-${String(1 + Math.floor(random() * town)).padStart(4, "0")}`;
    return { do: "check in", patientId, visitId: newVisit(), priority: priority(random) };
  }
  return { do: "call next", desk };
}

function priority(random: Random): Priority {
  const number = random();
  return number < 0.04 ? "emergency" : number < 0.2 ? "urgent" : "routine";
}

function isPatienceShort(patient: Patient): boolean {
  return patient.priority !== "emergency";
}

function pick<T>(items: readonly T[], random: Random): T | undefined {
  return items[Math.floor(random() * items.length)];
}
