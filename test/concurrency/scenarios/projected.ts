import { type Row, type Session, sqlState } from "../support/sessions.ts";

/*
 * Projections of a scenario, and what their rows must be: a fold of the whole log.
 */

export interface Projected {
  readonly name: string;
  readonly mode: "inline" | "async";
  readonly options?: string;
  readonly columns: string;
  readonly takes: "event daybook.event" | "events daybook.event[]";
  readonly body: string;
  /** The rows as they are, and as they must be. */
  readonly rows: string;
  readonly folded: string;
}

const perStream = (name: string) => ({
  name,
  columns: "key text primary key, n bigint not null",
  takes: "events daybook.event[]" as const,
  // a row that all appends share, and one for each stream: in the order of their keys
  body: `insert into ${name} as p (key, n)
    select k.key, count(*) from unnest(events) e cross join lateral (values (''), (e.stream_id)) k (key) group by 1 order by 1
    on conflict (key) do update set n = p.n + excluded.n;`,
  rows: `select key, n from daybook_projections.${name} order by key`,
  folded: `select k.key, count(*) as n from daybook.events e cross join lateral (values (''), (e.stream_id)) k (key) group by 1 order by 1`,
});

const inOrder = (name: string) => ({
  name,
  columns: "position bigint primary key, stream_id text not null, version bigint not null, before bigint not null",
  takes: "event daybook.event" as const,
  // minds the order of each stream
  body: `insert into ${name} values (event.position, event.stream_id, event.version,
    coalesce((select max(o.version) from ${name} o where o.stream_id = event.stream_id), 0));`,
  rows: `select position, stream_id, version, before from daybook_projections.${name} order by position`,
  folded: "select position, stream_id, version, version - 1 as before from daybook.events order by position",
});

export const PROJECTIONS: readonly Projected[] = [
  {
    name: "buckets",
    mode: "inline",
    options: ", categories => '{shared}'",
    columns: "bucket int primary key, n bigint not null, versions bigint not null",
    takes: "events daybook.event[]",
    body: `insert into buckets as b (bucket, n, versions)
      select e.version % 5, count(*), sum(e.version) from unnest(events) e group by 1 order by 1
      on conflict (bucket) do update set n = b.n + excluded.n, versions = b.versions + excluded.versions;`,
    rows: "select bucket, n, versions from daybook_projections.buckets order by 1",
    folded:
      "select (version % 5)::int as bucket, count(*) as n, sum(version)::bigint as versions from daybook.events where category = 'shared' group by 1 order by 1",
  },
  { mode: "inline", ...inOrder("kept_in_order") },
  { mode: "inline", ...perStream("kept_per_stream") },
  {
    name: "turns",
    mode: "inline",
    options: ", categories => '{shared}', serialize => true",
    columns: "n bigint primary key, position bigint unique",
    takes: "event daybook.event",
    // each row rests on the one before, whoever wrote that
    body: "insert into turns select coalesce(max(t.n), 0) + 1, event.position from turns t;",
    rows: "select t.n, (select count(*) from daybook.events e where e.position = t.position and e.category = 'shared') as there from daybook_projections.turns t order by 1",
    folded:
      "select row_number() over (order by position) as n, 1::bigint as there from daybook.events where category = 'shared' order by 1",
  },
  { mode: "async", ...inOrder("followed_in_order") },
  { mode: "async", ...perStream("followed_per_stream") },
];

export async function createAll(session: Session): Promise<void> {
  await session.rows("create schema app");
  for (const projection of PROJECTIONS) {
    const { name, takes, body } = projection;
    await session.rows(
      `create function app.${name}(${takes}) returns void language plpgsql as $$ begin ${body} end $$`,
    );
    await session.rows(...creation(projection));
  }
}

/** The statement that makes it, and its values. */
export function creation({ name, mode, columns, options = "" }: Projected): [text: string, values: unknown[]] {
  return [
    `select daybook.create_projection($1, 'app.' || $1, jsonb_build_object($1::text, $2::text), mode => '${mode}'${options})`,
    [name, columns],
  ];
}

/** Has it rebuilt in a mode. Turns are for those that take them, and inline. */
export async function replace(
  session: Session,
  violations: string[],
  { name, options = "" }: Projected,
  mode: "inline" | "async",
): Promise<void> {
  await attempt(session, violations, "select daybook.replace_projection($1, mode => $2, serialize => $3)", [
    name,
    mode,
    mode === "inline" && options.includes("serialize"),
  ]);
}

/** What advances and operators may be told, and is no broken promise. */
const ORDINARY = ["55P03", "YD601", "YD605"];

/** Does it; what is told that is out of the ordinary goes among the violations. */
export async function attempt(session: Session, violations: string[], text: string, values: unknown[]): Promise<Row[]> {
  try {
    return await session.rows(text, values);
  } catch (error) {
    if (!ORDINARY.includes(sqlState(error))) violations.push(`${text} ${values.join(" ")}: ${String(error)}`);
    return [];
  }
}

/** Brings everything to its end. */
export async function settle(session: Session): Promise<string[]> {
  const violations: string[] = [];
  for (let i = 0; i < 5000; i += 1) {
    const open = await session.column<string>(
      `select v.consumer from daybook.projection_versions v
         join daybook.consumers k on k.kind = 'projection' and k.name = v.consumer
         join daybook.cursors c on c.kind = 'projection' and c.name = v.consumer
        where v.stage = 'building' or v.stage = 'live' and k.state <> 'inline'
          and (v.mode = 'inline' or c.position < (select last_value from daybook.positions))`,
    );
    if (open.length === 0) return violations;
    for (const consumer of open) {
      await session.rows("update daybook.projection_versions set switch_at = null where consumer = $1", [consumer]);
      await attempt(session, violations, "select daybook.resume_projection($1)", [consumer]);
      await attempt(session, violations, "select * from daybook.advance_projection($1)", [consumer]);
    }
  }
  return [...violations, "projections do not come to their end"];
}

/** Which projections are not a fold of the whole log, and where they part from it. */
export async function foldViolations(session: Session): Promise<string[]> {
  const violations: string[] = [];
  for (const { name, rows, folded } of PROJECTIONS) {
    const [is, must] = [await session.rows(rows), await session.rows(folded)].map((all) =>
      all.map((row) => JSON.stringify(row)),
    );
    const [there, wanted] = [new Set(is), new Set(must)];
    const wrong = [
      ...(must ?? []).filter((row) => !there.has(row)).map((row) => `${name} lacks ${row}`),
      ...(is ?? []).filter((row) => !wanted.has(row)).map((row) => `${name} has ${row}`),
    ];
    violations.push(...wrong.slice(0, 5));
  }
  return violations;
}
