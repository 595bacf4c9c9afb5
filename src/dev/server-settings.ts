/** Settings of the server, by their PostgreSQL names. */
export type ServerSettings = Readonly<Record<string, string | number | boolean>>;

/**
 * What the embedded server runs with. Everything that bears on durability is at PostgreSQL's own, safe default; the log
 * holds what happens to the server, not what statements ask for in vain.
 */
const DEFAULTS: ServerSettings = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: 100,
  shared_buffers: "256MB",
  max_wal_size: "2GB",
  fsync: true,
  full_page_writes: true,
  synchronous_commit: "on",
  random_page_cost: 1.1,
  jit: false,
  timezone: "UTC",
  log_timezone: "UTC",
  lc_messages: "C",
  log_min_messages: "log",
};

/** A power cut may lose everything: for data that nobody needs again. */
const NOT_DURABLE: ServerSettings = { fsync: false, full_page_writes: false, synchronous_commit: "off" };

/** The command line of the server: defaults, durability, what the caller wants beyond, and the port. */
export function serverArguments(port: number, durable: boolean, settings: ServerSettings): string[] {
  const all = { ...DEFAULTS, ...(durable ? {} : NOT_DURABLE), ...settings, port };
  return Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${asText(value)}`]);
}

function asText(value: string | number | boolean): string {
  if (typeof value === "boolean") return value ? "on" : "off";
  return String(value);
}
