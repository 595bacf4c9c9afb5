import type { JsonObject } from "../store/json.ts";
import type { OutboundMessage } from "../transports/transport.ts";

/** The columns of daybook.message in the order of `MessageRow`. */
export const messageColumns = `"position", tenant_id, route, message_id, stream_id, version, topic, type, type_version,
  data, metadata, correlation_id, causation_id, occurred_at`;

/** A message as the adapters give it in row mode array, and what else was asked for behind it. */
export type MessageRow = readonly [
  position: bigint,
  tenantId: string,
  route: string,
  messageId: string,
  streamId: string,
  version: bigint | null,
  topic: string,
  type: string,
  typeVersion: number,
  data: JsonObject,
  metadata: JsonObject | null,
  correlationId: string | null,
  causationId: string | null,
  occurredAt: Date,
  ...more: unknown[],
];

/** The message a row stands for. By hand: it runs for each message that is sent. */
export function toMessage(row: MessageRow): OutboundMessage {
  return {
    position: row[0],
    tenantId: row[1],
    route: row[2],
    messageId: row[3],
    key: row[4],
    version: row[5],
    topic: row[6],
    type: row[7],
    typeVersion: row[8],
    data: row[9],
    metadata: row[10],
    correlationId: row[11],
    causationId: row[12],
    occurredAt: row[13],
    attempt: 1,
  };
}
