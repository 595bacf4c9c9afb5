import type { Test } from "tap";
import {
  type DrainResult,
  defineRoute,
  drainRoute,
  type OutboundMessage,
  type Route,
  type RouteDefinition,
  registerRoute,
  type SendOutcome,
  type Transport,
} from "../../src/index.ts";
import type { DrainRouteOptions } from "../../src/outbox/drain-route.ts";
import { type TestDatabase, testDatabase } from "../support/database.ts";

/** A transport whose other side a test plays. */
export interface TestTransport extends Transport {
  /** What the other side took, in order: `a-1@1`. */
  readonly taken: string[];
  /** The messages themselves. */
  readonly messages: OutboundMessage[];
  /** Says what becomes of a message; taken unless it does. */
  answer: (message: OutboundMessage) => SendOutcome | undefined | Promise<SendOutcome | undefined>;
}

export const nameOf = ({ key, version }: OutboundMessage) => `${key}@${version}`;

export function testTransport(): TestTransport {
  const transport: TestTransport = {
    name: "test",
    taken: [],
    messages: [],
    answer: () => undefined,
    async send(messages) {
      const held = new Set<string>();
      const outcomes: SendOutcome[] = [];
      for (const message of messages) {
        const of = `${message.tenantId} ${message.key}`;
        if (held.has(of)) {
          outcomes.push({ ok: false, error: new Error("behind it"), held: true });
          continue;
        }
        const outcome = (await transport.answer(message)) ?? { ok: true };
        if (outcome.ok) {
          transport.taken.push(nameOf(message));
          transport.messages.push(message);
        } else held.add(of);
        outcomes.push(outcome);
      }
      return outcomes;
    },
    close: async () => undefined,
  };
  return transport;
}

/** A database with a route to a transport of its own. */
export async function routed(t: Test, definition: Partial<RouteDefinition> = {}) {
  const database = await testDatabase(t);
  const transport = testTransport();
  const route = defineRoute({
    name: "out",
    transport: "test",
    retry: { attempts: 3, baseDelay: 1, maxDelay: 5 },
    ...definition,
  });
  await registerRoute(database.db, route);
  return { database, transport, route };
}

/** Drains until it ends for another reason than its time. */
export async function drainOut(
  database: TestDatabase,
  route: Route,
  transport: Transport,
  options: DrainRouteOptions = {},
): Promise<DrainResult> {
  for (let handled = 0; ; ) {
    const result = await drainRoute(database.db, route, transport, options);
    handled += result.handled;
    if (result.outcome !== "budget") return { ...result, handled };
  }
}

/** Something that fails. */
export const refused = (facts: Partial<Extract<SendOutcome, { ok: false }>> = {}): SendOutcome => ({
  ok: false,
  error: new Error("refused"),
  ...facts,
});
