import { uuidV7 } from "../../src/store/uuid-v7.ts";
import type { OutboundMessage } from "../../src/transports/transport.ts";

let position = 0n;

/** A message as a route would hand it to a transport; the next one each time. */
export function outbound(given: Partial<OutboundMessage> = {}): OutboundMessage {
  position += 1n;
  return {
    position,
    tenantId: "default",
    route: "test",
    messageId: uuidV7(),
    key: "room-1",
    version: position,
    topic: "waiting.room.arrivals",
    type: "waiting-room.patient-arrived",
    typeVersion: 1,
    data: { number: Number(position) },
    metadata: null,
    correlationId: null,
    causationId: null,
    occurredAt: new Date(),
    attempt: 1,
    ...given,
  };
}
