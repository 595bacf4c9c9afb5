import { type DbLike, toDb } from "../db.ts";
import { append } from "./append.ts";
import { appendBatch } from "./append-batch.ts";
import { appendStreams } from "./append-streams.ts";
import { categoryStreams } from "./category-streams.ts";
import { type Appender, type AppenderOptions, createAppender } from "./create-appender.ts";
import { horizon } from "./horizon.ts";
import { iterateAll } from "./iterate-all.ts";
import { readAll } from "./read-all.ts";
import { iterateCategory, readCategory } from "./read-category.ts";
import { readEvent } from "./read-event.ts";
import { iterateStream, readStream } from "./read-stream.ts";
import { readStreams } from "./read-streams.ts";
import { iterateType, readType } from "./read-type.ts";
import { streamVersion } from "./stream-version.ts";
import { trace } from "./trace.ts";

/** A function of the store without its first argument, the database. */
type Bound<F extends (db: DbLike, ...rest: never) => unknown> = F extends (db: DbLike, ...rest: infer R) => infer O
  ? (...rest: R) => O
  : never;

/** The store's functions, bound to a database and a tenant: `createStore`. Each is documented where it is defined. */
export interface Store {
  readonly append: Bound<typeof append>;
  readonly appendStreams: Bound<typeof appendStreams>;
  readonly appendBatch: Bound<typeof appendBatch>;
  readonly readStream: Bound<typeof readStream>;
  readonly iterateStream: Bound<typeof iterateStream>;
  readonly readStreams: Bound<typeof readStreams>;
  readonly readAll: Bound<typeof readAll>;
  readonly iterateAll: Bound<typeof iterateAll>;
  readonly readType: Bound<typeof readType>;
  readonly iterateType: Bound<typeof iterateType>;
  readonly readCategory: Bound<typeof readCategory>;
  readonly iterateCategory: Bound<typeof iterateCategory>;
  readonly categoryStreams: Bound<typeof categoryStreams>;
  readonly readEvent: Bound<typeof readEvent>;
  readonly trace: Bound<typeof trace>;
  readonly streamVersion: Bound<typeof streamVersion>;
  readonly horizon: () => Promise<bigint>;
  /** An appender for this store; the caller closes it. */
  readonly createAppender: (options?: AppenderOptions) => Appender;
}

/**
 * Binds the store's functions to a database, and, if given, to a tenant: calls that name none get this one.
 *
 * @param db a `Db`, or a pool, client or transaction of pg, slonik or PGlite
 */
export function createStore(db: DbLike, options: { readonly tenantId?: string | undefined } = {}): Store {
  const target = toDb(db);
  const inTenant = <I extends { readonly tenantId?: string | undefined }>(input: I) => ({
    ...input,
    tenantId: input.tenantId ?? options.tenantId,
  });
  return {
    append: (input) => append(target, inTenant(input)),
    appendStreams: (input) => appendStreams(target, inTenant(input)),
    appendBatch: (input) => appendBatch(target, inTenant(input)),
    readStream: (input) => readStream(target, inTenant(input)),
    iterateStream: (input) => iterateStream(target, inTenant(input)),
    readStreams: (input) => readStreams(target, inTenant(input)),
    readAll: (input) => readAll(target, inTenant(input ?? {})),
    iterateAll: (input) => iterateAll(target, inTenant(input ?? {})),
    readType: (input) => readType(target, inTenant(input)),
    iterateType: (input) => iterateType(target, inTenant(input)),
    readCategory: (input) => readCategory(target, inTenant(input)),
    iterateCategory: (input) => iterateCategory(target, inTenant(input)),
    categoryStreams: (input) => categoryStreams(target, inTenant(input)),
    readEvent: (input) => readEvent(target, inTenant(input)),
    trace: (input) => trace(target, inTenant(input)),
    streamVersion: (input) => streamVersion(target, inTenant(input)),
    horizon: () => horizon(target),
    createAppender: (appender) => createAppender(target, inTenant(appender ?? {})),
  };
}
