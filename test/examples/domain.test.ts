import t from "tap";
import {
  type Command,
  decide,
  emptyRoom,
  evolve,
  nextPatient,
  type Priority,
  type Room,
  type RoomEvent,
  roomStream,
} from "../../examples/waiting-room/domain.ts";
import { nextCommand, randomOf } from "../../examples/waiting-room/simulation.ts";

const checkedIn = (n: number, priority: Priority = "routine"): RoomEvent => ({
  type: "PatientCheckedIn",
  data: { patientId: `patient-${n}`, visitId: `visit-${n}`, priority },
});
const called = (n: number, desk = "desk 1"): RoomEvent => ({
  type: "PatientCalled",
  data: { patientId: `patient-${n}`, desk },
});
const attended = (n: number, desk = "desk 1"): RoomEvent => ({
  type: "PatientAttended",
  data: { patientId: `patient-${n}`, desk },
});
const left = (n: number, wasAttended: boolean): RoomEvent => ({
  type: "PatientLeft",
  data: { patientId: `patient-${n}`, attended: wasAttended },
});
const checkIn = (n: number, priority: Priority = "routine"): Command => ({
  do: "check in",
  patientId: `patient-${n}`,
  visitId: `visit-${n}`,
  priority,
});
const leave = (n: number): Command => ({ do: "leave", patientId: `patient-${n}` });
const callNext: Command = { do: "call next", desk: "desk 1" };
const attend: Command = { do: "attend", desk: "desk 1" };

const after = (...events: RoomEvent[]): Room => events.reduce(evolve, emptyRoom);
const full = Array.from({ length: emptyRoom.seats }, (_, i) => checkedIn(100 + i));

for (const [name, given, when, then] of [
  ["somebody comes in", [], checkIn(1), checkedIn(1)],
  ["nobody comes in twice", [checkedIn(1)], checkIn(1), "the patient is here already"],
  ["who has left may come again", [checkedIn(1), left(1, false)], checkIn(1), checkedIn(1)],
  ["there are so many seats", full, checkIn(1), "every seat is taken"],
  ["an emergency needs no seat", full, checkIn(1, "emergency"), checkedIn(1, "emergency")],
  ["who came first is called first", [checkedIn(1), checkedIn(2)], callNext, called(1)],
  ["who is urgent goes before", [checkedIn(1), checkedIn(2, "urgent"), checkedIn(3, "emergency")], callNext, called(3)],
  ["nobody is called who is called already", [checkedIn(1), checkedIn(2), called(1, "desk 2")], callNext, called(2)],
  ["a desk has one patient at a time", [checkedIn(1), checkedIn(2), called(1)], callNext, "the desk is taken"],
  ["nobody is there to be called", [checkedIn(1), called(1, "desk 2")], callNext, "nobody is waiting"],
  ["who was called is attended", [checkedIn(1), called(1)], attend, attended(1)],
  ["at that desk only", [checkedIn(1), called(1, "desk 2")], attend, "nobody was called to the desk"],
  ["once", [checkedIn(1), called(1), attended(1)], attend, "nobody was called to the desk"],
  ["then the desk is free", [checkedIn(1), called(1), attended(1), checkedIn(2)], callNext, called(2)],
  ["who was attended leaves so", [checkedIn(1), called(1), attended(1)], leave(1), left(1, true)],
  ["who has waited enough leaves too", [checkedIn(1)], leave(1), left(1, false)],
  ["and who did not come when called", [checkedIn(1), called(1)], leave(1), left(1, false)],
  ["nobody leaves who is not there", [checkedIn(1), left(1, false)], leave(1), "the patient is not here"],
] as const) {
  t.test(name, async (t) => {
    const expected =
      typeof then === "string" ? { outcome: "refused", reason: then } : { outcome: "accepted", event: then };
    t.same(decide(after(...given), when), expected);
  });
}

t.test("a room's stream is a day of it, in one category", async (t) => {
  t.equal(roomStream("north", new Date("2026-11-21T23:59:59Z")), "waiting_room-north-2026-11-21");
});

t.test("the same seed, the same people; all that can happen does", async (t) => {
  const play = (seed: number) => {
    const random = randomOf(seed);
    let visits = 0;
    let room = emptyRoom;
    const events: RoomEvent[] = [];
    let most = 0;
    for (let turn = 0; turn < 3000; turn += 1) {
      const command = nextCommand(room, `desk ${1 + (turn % 3)}`, random, () => `visit-${++visits}`);
      const decision = decide(room, command);
      if (decision.outcome === "refused") continue;
      events.push(decision.event);
      room = evolve(room, decision.event);
      most = Math.max(most, room.patients.length);
    }
    t.ok(most > 5 && most < room.seats + 10, `${most} at most were in the room`);
    return events;
  };
  const events = play(7);
  const told = JSON.stringify(events);
  t.ok(JSON.stringify(play(7)) === told, "the same seed");
  t.ok(JSON.stringify(play(8)) !== told, "another one");
  t.ok(events.length > 2000, "most of what is wanted can be done");
  t.same([...new Set(events.map(({ type }) => type))].sort(), [
    "PatientAttended",
    "PatientCalled",
    "PatientCheckedIn",
    "PatientLeft",
  ]);
  const leaving = events.filter((event) => event.type === "PatientLeft");
  t.ok(leaving.some(({ data }) => data.attended) && leaving.some(({ data }) => !data.attended));
  t.equal(nextPatient(emptyRoom), undefined);
});
