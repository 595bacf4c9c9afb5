import type { NewEvent } from "./types.ts";
import { uuidV7 } from "./uuid-v7.ts";
import { toWireEvent } from "./wire-event.ts";

/** An event that has its id and its time. */
export type CreatedEvent<D extends object = object> = NewEvent<D> & {
  readonly eventId: string;
  readonly occurredAt: Date;
};

/**
 * Makes an event where the decision falls: gives it an id (a UUIDv7) and the time, unless it has them, and checks it
 * as `append` would. Append does not need it: use it to know an id beforehand (for the causation of other events, for
 * a retry that writes once) or to find a mistake where it was made.
 *
 * @throws InvalidEventError
 */
export function createEvent<D extends object>(input: NewEvent<D>): CreatedEvent<D> {
  const event = {
    ...input,
    eventId: input.eventId ?? uuidV7(),
    occurredAt: input.occurredAt ?? new Date(),
  };
  toWireEvent(event, 0);
  return event;
}
