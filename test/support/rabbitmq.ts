import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chown, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import amqp from "amqplib";
import type { Test } from "tap";
import { choosePort } from "../../src/dev/ports.ts";
import { announcedServer } from "./server.ts";

const directories = ["/usr/lib/rabbitmq/bin", "/opt/homebrew/opt/rabbitmq/sbin", "/usr/local/opt/rabbitmq/sbin"];
const program = directories.map((directory) => join(directory, "rabbitmq-server")).find((path) => existsSync(path));

/** False where RabbitMQ is there; otherwise why a test is skipped: `t.test(name, { skip: rabbitmqMissing }, …)`. */
export const rabbitmqMissing: string | false = program
  ? false
  : "RabbitMQ is missing: apt-get install --no-install-recommends rabbitmq-server";

/** A broker for one test, or for all of a file, which may stop it. */
export interface TestRabbitmq {
  /** It stays the same over a restart. */
  readonly url: string;
  /** Ends it as an operator would. */
  stop(): Promise<void>;
  /** Ends it with SIGKILL. */
  kill9(): Promise<void>;
  /** Starts it again, with what it has kept. */
  start(): Promise<void>;
  /** Calls one of its programs (`rabbitmqctl`) and gives what it prints. */
  control(...args: string[]): string;
  /** A channel past the code under test. It ends with the test, or with the broker. */
  channel(): Promise<amqp.Channel>;
}

/** Starts a broker on a port of its own, with data of its own. It ends with the test. */
export async function testRabbitmq(t: Pick<Test, "teardown">): Promise<TestRabbitmq> {
  const broker = new Broker(await mkdtemp(join(announcedServer()?.directory ?? tmpdir(), "rabbitmq-")));
  t.teardown(() => broker.end());
  await broker.prepare();
  await broker.start();
  return broker;
}

class Broker implements TestRabbitmq {
  readonly #directory: string;
  readonly #user = rabbitmqUser();
  readonly #node = `daybook-${randomBytes(4).toString("hex")}@localhost`;
  readonly #connections = new Set<amqp.ChannelModel>();
  #ports: readonly number[] = [];
  #child: ChildProcess | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  get url(): string {
    return `amqp://guest:guest@127.0.0.1:${this.#ports[0]}`;
  }

  async prepare(): Promise<void> {
    this.#ports = [await choosePort(0), await choosePort(0), await choosePort(0)];
    await mkdir(join(this.#directory, "home"));
    for (const path of [this.#directory, join(this.#directory, "home")]) {
      if (this.#user) await chown(path, this.#user.uid, this.#user.gid);
    }
    process.once("exit", () => this.#signal("SIGKILL"));
  }

  async start(): Promise<void> {
    const child = spawn(program ?? "", [], {
      env: this.#environment(),
      cwd: this.#directory,
      detached: true,
      stdio: "ignore",
      ...this.#user,
    });
    this.#child = child;
    const deadline = Date.now() + 90_000;
    while (!(await this.#answers())) {
      if (child.exitCode !== null || Date.now() > deadline)
        throw new Error(`RabbitMQ does not start: ${await this.#log()}`);
      await sleep(100);
    }
  }

  stop(): Promise<void> {
    return this.#end("SIGTERM");
  }

  kill9(): Promise<void> {
    return this.#end("SIGKILL");
  }

  control(...args: string[]): string {
    const path = join(program ?? "", "..", "rabbitmqctl");
    return execFileSync(path, ["--node", this.#node, ...args], {
      env: this.#environment(),
      cwd: this.#directory,
      encoding: "utf8",
      ...this.#user,
    });
  }

  async channel(): Promise<amqp.Channel> {
    const connection = await amqp.connect(this.url);
    connection.on("error", () => undefined);
    this.#connections.add(connection);
    const channel = await connection.createChannel();
    channel.on("error", () => undefined);
    return channel;
  }

  async end(): Promise<void> {
    await Promise.allSettled([...this.#connections].map((connection) => connection.close()));
    await this.kill9();
    await this.#endPortMapper();
    await rm(this.#directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }

  /** Erlang leaves it behind; it refuses to end until it has noticed that the broker is gone. */
  async #endPortMapper(): Promise<void> {
    for (let attempt = 1; attempt <= 20; attempt += 1) {
      const said = spawnSync("epmd", ["-kill"], { env: this.#environment(), encoding: "utf8" });
      if (said.error || said.status === 0) return;
      await sleep(50);
    }
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((done) => child.once("exit", done));
    this.#signal(signal);
    await ended;
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid, exitCode, signalCode } = this.#child ?? {};
    if (!pid || exitCode !== null || signalCode !== null) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // it has ended meanwhile
    }
  }

  async #answers(): Promise<boolean> {
    const connection = await amqp.connect(this.url, { timeout: 2000 }).catch(() => null);
    connection?.on("error", () => undefined);
    await connection?.close();
    return connection !== null;
  }

  async #log(): Promise<string> {
    const text = await readFile(join(this.#directory, "log", `${this.#node}.log`), "utf8").catch(() => "");
    return text.slice(-1000);
  }

  #environment(): NodeJS.ProcessEnv {
    const [port, distribution, epmd] = this.#ports;
    return {
      PATH: process.env.PATH,
      LANG: "C.UTF-8",
      HOME: join(this.#directory, "home"),
      RABBITMQ_NODENAME: this.#node,
      RABBITMQ_NODE_IP_ADDRESS: "127.0.0.1",
      RABBITMQ_NODE_PORT: String(port),
      RABBITMQ_DIST_PORT: String(distribution),
      ERL_EPMD_PORT: String(epmd),
      ERL_EPMD_ADDRESS: "127.0.0.1",
      RABBITMQ_MNESIA_BASE: join(this.#directory, "data"),
      RABBITMQ_LOG_BASE: join(this.#directory, "log"),
      RABBITMQ_CONF_ENV_FILE: join(this.#directory, "none.conf"),
      RABBITMQ_CONFIG_FILE: join(this.#directory, "rabbitmq"),
      RABBITMQ_ADVANCED_CONFIG_FILE: join(this.#directory, "advanced"),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(this.#directory, "plugins"),
      // few cores, shared with the tests
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "+sbwt none +sbwtdcpu none +sbwtdio none +S 2:2",
    };
  }
}

/** As root it runs as the user its package has made. */
function rabbitmqUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (option: string) => Number(execFileSync("id", [option, "rabbitmq"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}
