import {
  type Db,
  defineRoute,
  functionTransport,
  type RabbitmqConsumer,
  type Route,
  rabbitmqConsumer,
  rabbitmqTransport,
  type Transport,
} from "../../src/index.ts";

/** Others are told of arrivals, in a shape of their own (see schema.sql). */
const arrivals = {
  types: ["PatientCheckedIn"],
  publicName: "waiting-room.patient-arrived",
  mapping: "waiting_room.arrival",
};

/** Where arrivals are announced. */
export interface Announcements {
  readonly routes: readonly Route[];
  readonly transports: readonly Transport[];
  /** Arrivals of a run that the board in the hall was told of. */
  shown(run: string): number;
}

/** A board in the hall, which is a function here; and a broker, where there is one. */
export function createAnnouncements(brokerUrl: string | undefined): Announcements {
  const seen = new Map<unknown, Set<string>>();
  const board = functionTransport("hall", async ({ messageId, data }) => {
    const { run } = data;
    const ofRun = seen.get(run) ?? new Set();
    seen.set(run, ofRun.add(messageId));
  });
  const routes = [defineRoute({ ...arrivals, name: "arrivals-board", transport: "hall", topic: "arrivals" })];
  const transports: Transport[] = [board];
  if (brokerUrl !== undefined) {
    routes.push(
      defineRoute({ ...arrivals, name: "arrivals-broker", transport: "broker", topic: "waiting.room.arrivals" }),
    );
    transports.push(rabbitmqTransport({ name: "broker", url: brokerUrl, exchange: "waiting_room_events" }));
  }
  return { routes, transports, shown: (run) => seen.get(run)?.size ?? 0 };
}

/** Receives arrivals from the broker and writes each once, though the broker may deliver it twice. */
export function receiveArrivals(db: Db, brokerUrl: string): Promise<RabbitmqConsumer> {
  return rabbitmqConsumer({
    url: brokerUrl,
    db,
    consumer: "waiting-room-arrivals",
    exchange: "waiting_room_events",
    queue: "waiting-room-projection-queue",
    bindings: ["waiting.room.*"],
    messageTtl: 24 * 60 * 60 * 1000,
    async handle(message, { tx }) {
      await tx.query("insert into waiting_room.arrivals (message_id, run, room) values ($1, $2, $3)", [
        message.id,
        message.data.run ?? null,
        message.data.room,
      ]);
    },
  });
}
