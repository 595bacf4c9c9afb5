import { z } from "zod";
import { type DbLike, toDb } from "../db.ts";
import { InvalidArgumentError } from "../errors.ts";
import { toTenant, toText, toUuid } from "../store/arguments.ts";
import { toJson } from "../store/to-json.ts";

/** An integration event that is put into the outbox without a domain event. */
export interface PublishInput {
  /** A route that was made for this (`direct: true`). */
  readonly route: string;
  /** Public name of what happened. */
  readonly type: string;
  /** Public version of the shape of `data`, from 1 (the default). */
  readonly version?: number | undefined;
  readonly data: object;
  readonly metadata?: object | undefined;
  /** Messages of one key are delivered in order. Its own id unless said otherwise: no order. */
  readonly key?: string | undefined;
  /** A UUID; where there is none, a UUIDv7 is made. */
  readonly messageId?: string | undefined;
  readonly occurredAt?: Date | undefined;
  readonly correlationId?: string | undefined;
  readonly causationId?: string | undefined;
  /** Default: the tenant the session is narrowed to, or `default`. */
  readonly tenantId?: string | undefined;
}

/**
 * Puts an integration event into the outbox, in the transaction that `tx` is in: it leaves the database if, and only if,
 * that is committed.
 *
 * @returns its position in the outbox
 * @throws UnknownConsumerError where there is no such route; InvalidArgumentError, InvalidEventError
 */
export async function publish(tx: DbLike, input: PublishInput): Promise<bigint> {
  const rows = await toDb(tx).query(
    "select daybook.publish(route => $1::text, message => $2::jsonb, tenant_id => $3::text) as position",
    [toText(input.route, "route"), messageJson(input), toTenant(input.tenantId)],
    { name: "daybook_publish" },
  );
  return z.tuple([z.object({ position: z.bigint() })]).parse(rows)[0].position;
}

function messageJson(input: PublishInput): string {
  const { type, version, data, metadata, key, messageId, occurredAt, correlationId, causationId } = input;
  const members = {
    type: toText(type, "type"),
    version,
    key: key === undefined ? undefined : toText(key, "key"),
    message_id: messageId === undefined ? undefined : toUuid(messageId, "messageId"),
    occurred_at: occurredAt,
    correlation_id: correlationId === undefined ? undefined : toUuid(correlationId, "correlationId"),
    causation_id: causationId === undefined ? undefined : toUuid(causationId, "causationId"),
  };
  const payload = `"data":${objectJson(data, "data")}`;
  const beside = metadata === undefined ? "" : `,"metadata":${objectJson(metadata, "metadata")}`;
  return `{${payload}${beside},${JSON.stringify(members).slice(1)}`;
}

function objectJson(value: unknown, name: string): string {
  const text = typeof value === "object" && value !== null ? toJson(value, 0, name) : "";
  if (text.startsWith("{")) return text;
  throw new InvalidArgumentError(`${name} is an object`, {
    detail: { argument: name },
    hint: "Pass an object with what the message says.",
  });
}
