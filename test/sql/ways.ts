import { type Queryable, type Row, row } from "./support.ts";

/** An append as all of Daybook's append functions can express it. */
export interface Append {
  stream: string;
  events: Row[];
  expected?: number | null;
  key?: string | null;
  tenant?: string | null;
}

/** What was given back, in the terms of `append`. */
export interface Appended {
  version: number;
  first: number;
  last: number;
  duplicate: boolean;
}

/** One way to append through SQL; what must hold for appends must hold for each. Throws what PostgreSQL raises, and for a failed entry of a batch its error. */
export interface Way {
  name: string;
  /** Takes one event only. */
  single: boolean;
  append(db: Queryable, input: Append): Promise<Appended>;
}

async function appended(db: Queryable, call: string, values: unknown[]): Promise<Appended> {
  const r = await row(db, `select * from ${call}`, values);
  if (r.status !== undefined && r.status !== "appended" && r.status !== "duplicate")
    throw r.error ?? new Error(String(r.status));
  return {
    version: Number(r.stream_version),
    first: Number(r.first_position),
    last: Number(r.last_position),
    duplicate: r.duplicate === true,
  };
}

function entry({ stream, events, expected, key }: Append): Row {
  return {
    stream_id: stream,
    events,
    ...(expected === undefined ? {} : { expected_version: expected }),
    ...(key === undefined ? {} : { idempotency_key: key }),
  };
}

export const ways: readonly Way[] = [
  {
    name: "append",
    single: false,
    append: (db, input) =>
      appended(db, "daybook.append($1, $2, expected_version => $3, idempotency_key => $4, tenant_id => $5)", [
        input.stream,
        JSON.stringify(input.events),
        input.expected,
        input.key,
        input.tenant,
      ]),
  },
  {
    name: "append_event",
    single: true,
    append: (db, input) => {
      const e = input.events[0] ?? {};
      // what the caller leaves out is left out of the call, so that the function's own defaults hold
      const named: [string, string, unknown][] = [
        ["type", "text", e.type ?? null],
        ["data", "jsonb", e.data === undefined ? undefined : JSON.stringify(e.data)],
        ["metadata", "jsonb", e.metadata === undefined ? undefined : JSON.stringify(e.metadata)],
        ["event_id", "uuid", e.event_id],
        ["correlation_id", "uuid", e.correlation_id],
        ["causation_id", "uuid", e.causation_id],
        ["tags", "text[]", e.tags],
        ["schema_version", "integer", e.schema_version],
        ["occurred_at", "timestamptz", e.occurred_at],
        ["expected_version", "bigint", input.expected],
        ["idempotency_key", "text", input.key],
        ["tenant_id", "text", input.tenant],
      ];
      const given = named.filter(([, , v]) => v !== undefined);
      const list = given.map(([name, type], i) => `${name} => $${i + 2}::${type}`);
      return appended(db, `daybook.append_event($1, ${list.join(", ")})`, [input.stream, ...given.map(([, , v]) => v)]);
    },
  },
  {
    name: "append_streams",
    single: false,
    append: (db, input) =>
      appended(db, "daybook.append_streams($1, tenant_id => $2)", [JSON.stringify([entry(input)]), input.tenant]),
  },
  {
    name: "append_batch",
    single: false,
    append: (db, input) =>
      appended(db, "daybook.append_batch($1, tenant_id => $2)", [JSON.stringify([entry(input)]), input.tenant]),
  },
  {
    // beside an entry that fails, those of the same stream are not appended with the set
    name: "append_batch, singly",
    single: false,
    append: (db, input) => {
      const entries = [entry(input), { stream_id: input.stream, events: [] }];
      return appended(db, "daybook.append_batch($1, tenant_id => $2)", [JSON.stringify(entries), input.tenant]);
    },
  },
];

export const waysForMany: readonly Way[] = ways.filter((w) => !w.single);
