import { BATCH_MUTATIONS } from "./batch-mutations.ts";
import { CONSUMER_MUTATIONS } from "./consumer-mutations.ts";
import { GUARD_MUTATIONS } from "./guard-mutations.ts";
import { HORIZON_MUTATIONS } from "./horizon-mutations.ts";
import { ORDER_MUTATIONS } from "./order-mutations.ts";
import { OUTBOX_MUTATIONS } from "./outbox-mutations.ts";
import { PARTITION_MUTATIONS } from "./partition-mutations.ts";
import { PROJECTION_MUTATIONS } from "./projection-mutations.ts";
import { REGISTRATION_MUTATIONS } from "./registration-mutations.ts";
import { STATE_MUTATIONS } from "./state-mutations.ts";
import { WAKE_MUTATIONS } from "./wake-mutations.ts";

/** A rule of the store, the SQL that breaks it, and the test that must notice. */
export interface Mutation {
  readonly name: string;
  /** What holds in the store as it is. */
  readonly rule: string;
  /** SQL that breaks the rule in a store that has just been installed; made from today's files. */
  readonly sql: () => string;
  /** The test file that must fail, */
  readonly test: string;
  /** in a test whose name contains this. */
  readonly caught: string;
}

export const MUTATIONS: readonly Mutation[] = [
  ...HORIZON_MUTATIONS,
  ...REGISTRATION_MUTATIONS,
  ...ORDER_MUTATIONS,
  ...BATCH_MUTATIONS,
  ...OUTBOX_MUTATIONS,
  ...PARTITION_MUTATIONS,
  ...GUARD_MUTATIONS,
  ...CONSUMER_MUTATIONS,
  ...PROJECTION_MUTATIONS,
  ...STATE_MUTATIONS,
  ...WAKE_MUTATIONS,
];

/**
 * The SQL of one mutation.
 *
 * @throws if there is none of that name, or if it does not fit the files any more
 */
export function mutationSql(name: string): string {
  const mutation = MUTATIONS.find((one) => one.name === name);
  if (!mutation) throw new Error(`there is no mutation ${name}`);
  return mutation.sql();
}
