import { z } from "zod";

/*
 * The one place that reads the environment. An empty variable counts as absent.
 */

const schema = z.object({
  DATABASE_URL: databaseUrl().optional(),
  DAYBOOK_DIRECT_URL: databaseUrl().optional(),
  DAYBOOK_TENANT: z.string().min(1).max(255).optional(),
  DAYBOOK_POOL_SIZE: wholeNumber(1, 1000).default(10),
  DAYBOOK_DATA_DIR: z.string().min(1).default(".daybook"),
  DAYBOOK_PG_VERSION: z.coerce
    .number()
    .pipe(z.union([z.literal(15), z.literal(16), z.literal(17), z.literal(18)], { error: "must be 15, 16, 17 or 18" }))
    .default(18),
  DAYBOOK_PG_PORT: wholeNumber(1, 65_535).optional(),
  RABBITMQ_URL: z
    .string()
    .regex(/^amqps?:\/\//, { error: "must begin with amqp:// or amqps://" })
    .optional(),
});

/** What the environment says. */
export interface Config {
  /** `DATABASE_URL`: the database of the store. Absent: the embedded server is used. */
  readonly databaseUrl: string | undefined;
  /**
   * `DAYBOOK_DIRECT_URL`: the same database past a pooler, for migrations and LISTEN. `databaseUrl` if absent.
   */
  readonly directUrl: string | undefined;
  /** `DAYBOOK_TENANT`: the tenant of the command line. Absent: the session's own, or `default`. */
  readonly tenant: string | undefined;
  /** `DAYBOOK_POOL_SIZE`: connections a process opens at most; 10. */
  readonly poolSize: number;
  /** `RABBITMQ_URL`: a broker for the waiting room's announcements. Absent: they do without. */
  readonly rabbitmqUrl: string | undefined;
  /** Of the embedded server. */
  readonly embedded: {
    /** `DAYBOOK_DATA_DIR`: its directory; `.daybook`. */
    readonly dataDir: string;
    /** `DAYBOOK_PG_VERSION`: its major version; 18. */
    readonly version: 15 | 16 | 17 | 18;
    /** `DAYBOOK_PG_PORT`: its preferred port. */
    readonly port: number | undefined;
  };
}

/** A variable of the environment cannot be understood; the message names each one and says what it must be. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/**
 * Reads the configuration.
 *
 * @param environment the variables; the process's own if not given
 * @throws ConfigError
 */
export function config(environment: Readonly<Record<string, string | undefined>> = process.env): Config {
  const given = Object.fromEntries(
    Object.keys(schema.shape).flatMap((name) => (environment[name] ? [[name, environment[name]]] : [])),
  );
  const result = schema.safeParse(given);
  if (!result.success) {
    throw new ConfigError(result.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("\n"));
  }
  const values = result.data;
  return {
    databaseUrl: values.DATABASE_URL,
    directUrl: values.DAYBOOK_DIRECT_URL ?? values.DATABASE_URL,
    tenant: values.DAYBOOK_TENANT,
    poolSize: values.DAYBOOK_POOL_SIZE,
    rabbitmqUrl: values.RABBITMQ_URL,
    embedded: {
      dataDir: values.DAYBOOK_DATA_DIR,
      version: values.DAYBOOK_PG_VERSION,
      port: values.DAYBOOK_PG_PORT,
    },
  };
}

function databaseUrl() {
  return z.string().regex(/^postgres(ql)?:\/\//, { error: "must begin with postgres:// or postgresql://" });
}

function wholeNumber(least: number, most: number) {
  const error = `must be a whole number from ${least} to ${most}`;
  return z.coerce.number({ error }).int({ error }).min(least, { error }).max(most, { error });
}
