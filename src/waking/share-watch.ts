import type pg from "pg";
import { z } from "zod";
import { isPgPool } from "../adapters/pg.ts";
import { sourceOf } from "../adapters/sources.ts";
import { type DbLike, toDb } from "../db.ts";
import { createWatch } from "./watch.ts";
import type { Watch } from "./watch-types.ts";

/** What a watch is shared by. */
export interface ShareOptions {
  /** The same database past a pooler in transaction mode, for the one connection that listens. That of the pool if not given. */
  readonly directUrl?: string | undefined;
  /** Milliseconds after which a sleeper looks though nobody has woken it; 30,000 unless said otherwise. */
  readonly safetyPoll?: number | undefined;
}

/** A watch that others of this process may use, too. */
export interface SharedWatch {
  readonly watch: Watch;
  /** Ends this use of it; with the last one it stops. */
  release(): Promise<void>;
}

interface Entry {
  readonly watch: Watch;
  uses: number;
}

const byUrl = new Map<string, Entry>();
const bySource = new WeakMap<object, Entry>();

/**
 * The watch of a database: one for a process, whoever follows the log there. Where no listening connection can be made
 * (a pool of slonik, a PGlite, a transaction) and no `directUrl` is given, it polls.
 */
export function shareWatch(db: DbLike, options: ShareOptions = {}): SharedWatch {
  const source = sourceOf(toDb(db));
  const connection = options.directUrl === undefined ? configOf(source) : { connectionString: options.directUrl };
  const url = connection?.connectionString;
  const key = url === undefined ? undefined : `${options.safetyPoll ?? ""} ${url}`;
  const known = key === undefined ? bySource.get(source) : byUrl.get(key);
  const entry = known ?? {
    watch: createWatch({ db: toDb(db), connection, safetyPoll: options.safetyPoll }),
    uses: 0,
  };
  if (key === undefined) bySource.set(source, entry);
  else byUrl.set(key, entry);
  entry.uses += 1;
  let isReleased = false;
  return {
    watch: entry.watch,
    async release() {
      if (isReleased) return;
      isReleased = true;
      entry.uses -= 1;
      if (entry.uses > 0) return;
      if (key === undefined) bySource.delete(source);
      else byUrl.delete(key);
      await entry.watch.stop();
    },
  };
}

const poolOptions = z.object({
  options: z.looseObject({
    connectionString: z.string().optional(),
    host: z.string().optional(),
    port: z.number().optional(),
    user: z.string().optional(),
    database: z.string().optional(),
    password: z.custom<pg.ClientConfig["password"]>().optional(),
    ssl: z.custom<pg.ClientConfig["ssl"]>().optional(),
  }),
});

/** How a pool of pg connects; its password does not show among its options, so it is asked for by name. */
function configOf(source: object): pg.ClientConfig | undefined {
  const options = isPgPool(source) ? poolOptions.safeParse(source).data?.options : undefined;
  if (options === undefined) return undefined;
  const { connectionString, host, port, user, database, password, ssl } = options;
  return Object.fromEntries(
    Object.entries({ connectionString, host, port, user, database, password, ssl }).filter(([, v]) => v !== undefined),
  );
}
