/*
 * A waiting room, as plain data and pure functions: what happened, what a room is after it, and what somebody may do
 * then. Nothing here knows of a database.
 *
 * One stream holds all that happens in a room on a day. What has to be decided (is there a seat, who is next) is decided
 * about a room, so the room is what must not change in between: two receptionists who call the next patient at the same
 * moment must not call the same one. A day, and not the room for ever, because a stream that is read to decide should be
 * short.
 */

/** What can happen in a waiting room. */
export type RoomEvent =
  | { readonly type: "PatientCheckedIn"; readonly data: { patientId: string; visitId: string; priority: Priority } }
  | { readonly type: "PatientCalled"; readonly data: { patientId: string; desk: string } }
  | { readonly type: "PatientAttended"; readonly data: { patientId: string; desk: string } }
  | { readonly type: "PatientLeft"; readonly data: { patientId: string; attended: boolean } };

/** The most urgent first. */
export const priorities = ["emergency", "urgent", "routine"] as const;
export type Priority = (typeof priorities)[number];

/** Somebody who is in the room. */
export interface Patient {
  readonly patientId: string;
  /** What is left of this visit goes by this id. */
  readonly visitId: string;
  readonly priority: Priority;
  readonly stage: "waiting" | "called" | "attended";
  /** Where they were called to. */
  readonly desk: string | null;
}

/** A room. */
export interface Room {
  readonly seats: number;
  /** In the order in which they came. */
  readonly patients: readonly Patient[];
}

export const emptyRoom: Room = { seats: 20, patients: [] };

/** The stream of a room on a day; its category is `waiting_room`. */
export function roomStream(room: string, day: Date): string {
  return `${category}-${room}-${day.toISOString().slice(0, 10)}`;
}

export const category = "waiting_room";

/** The room after an event. */
export function evolve(room: Room, event: RoomEvent): Room {
  const { patientId } = event.data;
  switch (event.type) {
    case "PatientCheckedIn": {
      const { visitId, priority } = event.data;
      const patient: Patient = { patientId, visitId, priority, stage: "waiting", desk: null };
      return { ...room, patients: [...room.patients, patient] };
    }
    case "PatientCalled":
      return withPatient(room, patientId, { stage: "called", desk: event.data.desk });
    case "PatientAttended":
      return withPatient(room, patientId, { stage: "attended" });
    case "PatientLeft":
      return { ...room, patients: room.patients.filter((patient) => patient.patientId !== patientId) };
  }
}

function withPatient(room: Room, patientId: string, change: Partial<Patient>): Room {
  const patients = room.patients.map((patient) =>
    patient.patientId === patientId ? { ...patient, ...change } : patient,
  );
  return { ...room, patients };
}

/** What somebody may want. */
export type Command =
  | { readonly do: "check in"; readonly patientId: string; readonly visitId: string; readonly priority: Priority }
  | { readonly do: "call next"; readonly desk: string }
  | { readonly do: "attend"; readonly desk: string }
  | { readonly do: "leave"; readonly patientId: string };

/** What comes of it: something happens, or there is a reason why not. */
export type Decision =
  | { readonly outcome: "accepted"; readonly event: RoomEvent }
  | { readonly outcome: "refused"; readonly reason: string };

/** Decides about a command as the room is now. */
export function decide(room: Room, command: Command): Decision {
  switch (command.do) {
    case "check in": {
      const { patientId, visitId, priority } = command;
      if (findPatient(room, patientId)) return refused("the patient is here already");
      if (priority !== "emergency" && room.patients.length >= room.seats) return refused("every seat is taken");
      return accepted({ type: "PatientCheckedIn", data: { patientId, visitId, priority } });
    }
    case "call next": {
      const { desk } = command;
      if (calledTo(room, desk)) return refused("the desk is taken");
      const next = nextPatient(room);
      if (!next) return refused("nobody is waiting");
      return accepted({ type: "PatientCalled", data: { patientId: next.patientId, desk } });
    }
    case "attend": {
      const { desk } = command;
      const patient = calledTo(room, desk);
      if (!patient) return refused("nobody was called to the desk");
      return accepted({ type: "PatientAttended", data: { patientId: patient.patientId, desk } });
    }
    case "leave": {
      const patient = findPatient(room, command.patientId);
      if (!patient) return refused("the patient is not here");
      const attended = patient.stage === "attended";
      return accepted({ type: "PatientLeft", data: { patientId: patient.patientId, attended } });
    }
  }
}

function accepted(event: RoomEvent): Decision {
  return { outcome: "accepted", event };
}

function refused(reason: string): Decision {
  return { outcome: "refused", reason };
}

export function findPatient(room: Room, patientId: string): Patient | undefined {
  return room.patients.find((patient) => patient.patientId === patientId);
}

/** Who was called to a desk and has not been attended yet. */
export function calledTo(room: Room, desk: string): Patient | undefined {
  return room.patients.find((patient) => patient.stage === "called" && patient.desk === desk);
}

export function waiting(room: Room): Patient[] {
  return room.patients.filter((patient) => patient.stage === "waiting");
}

/** The most urgent of those who wait; of these the one who came first. */
export function nextPatient(room: Room): Patient | undefined {
  const queue = waiting(room);
  return priorities.map((priority) => queue.find((patient) => patient.priority === priority)).find(Boolean);
}
