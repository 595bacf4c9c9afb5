import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Test } from "tap";

const program = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/opt/homebrew/bin/pgbouncer"].find((path) =>
  existsSync(path),
);

/** False where PgBouncer is there; otherwise why a test is skipped. */
export const pgbouncerMissing: string | false = program ? false : "PgBouncer is missing: apt-get install pgbouncer";

/** Starts a PgBouncer in transaction mode in front of a database; gives the URL through it. It goes with the test. */
export async function startPgbouncer(t: Test, target: string): Promise<string> {
  const url = new URL(target);
  const name = url.pathname.slice(1);
  const port = await freePort();
  const directory = mkdtempSync(join(tmpdir(), "daybook-pgbouncer-"));
  chmodSync(directory, 0o755);
  const file = join(directory, "pgbouncer.ini");
  const quoted = decodeURIComponent(url.password).replaceAll("'", "''");
  writeFileSync(
    file,
    `[databases]
${name} = host=${url.hostname} port=${url.port} dbname=${name} user=${url.username} password='${quoted}'
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 6
max_client_conn = 200
`,
  );
  // it does not run as root
  const nobody =
    process.getuid?.() === 0 ? Number(spawnSync("id", ["-u", "nobody"], { encoding: "utf8" }).stdout) : undefined;
  const child: ChildProcess = spawn(program ?? "pgbouncer", [file], {
    stdio: ["ignore", "ignore", "pipe"],
    ...(nobody === undefined ? {} : { uid: nobody }),
  });
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  t.teardown(async () => {
    if (child.exitCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    rmSync(directory, { recursive: true });
  });
  for (let i = 0; !(await isOpen(port)); i += 1) {
    if (child.exitCode !== null || i > 100) throw new Error(`PgBouncer did not start: ${said}`);
    await sleep(50);
  }
  url.hostname = "127.0.0.1";
  url.port = String(port);
  return url.href;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
