import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** A process at one time: the pid alone may be another program's by the time it is looked up. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it began, in the system's own notation; only good for comparison. */
  readonly startedAt: string;
}

/** The identity of a running process, or null if there is none with this pid (a zombie counts as none). */
export function processIdentity(pid: number): ProcessIdentity | null {
  const startedAt = process.platform === "linux" ? startOnLinux(pid) : startByPs(pid);
  return startedAt === null ? null : { pid, startedAt };
}

/** Whether that very process still runs. */
export function isRunning(identity: ProcessIdentity): boolean {
  return processIdentity(identity.pid)?.startedAt === identity.startedAt;
}

/** How the processes of one server are told from all others. */
export interface ServerMark {
  /** The server's `cluster_name`: on the command line of the server and in the titles of its children. */
  readonly clusterName: string;
  /** Its data directory, with links resolved: for servers that somebody started by hand. */
  readonly dataPath: string;
}

/** Whether a process is this server or one of its children. */
export function belongsTo(pid: number, mark: ServerMark): boolean {
  const command = commandOf(pid);
  if (!command.includes("postgres")) return false;
  // Without CAP_SYS_PTRACE (most containers) not even root reads another user's working directory, hence the name.
  return (
    command.includes(mark.clusterName) ||
    command.includes(`-D ${mark.dataPath} `) ||
    readLink(`/proc/${pid}/cwd`) === mark.dataPath
  );
}

/** The server and all its children, those of a server that was killed included. */
export function processesOf(mark: ServerMark): number[] {
  return everyPid().filter((pid) => pid !== process.pid && belongsTo(pid, mark) && processIdentity(pid) !== null);
}

/** Whether a server's process is one of its children, which PostgreSQL gives titles, and not the server itself. */
export function isServerChild(pid: number): boolean {
  return commandOf(pid).startsWith("postgres: ");
}

/** Sends a signal; that the process has ended meanwhile is no error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (errorCode(error) !== "ESRCH") throw error;
  }
}

function everyPid(): number[] {
  const names =
    process.platform === "linux"
      ? readdirSync("/proc")
      : execFileSync("ps", ["-axo", "pid="], { encoding: "utf8" }).split("\n");
  return names.map(Number).filter((pid) => Number.isInteger(pid) && pid > 0);
}

function commandOf(pid: number): string {
  try {
    if (process.platform === "linux") return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
    return ps(pid, "command=");
  } catch {
    return "";
  }
}

function startOnLinux(pid: number): string | null {
  try {
    // The second field, the program's name, is in brackets and may hold anything.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state, startedAt] = [fields[0], fields[19]];
    return startedAt === undefined || state === "Z" || state === "X" ? null : startedAt;
  } catch {
    return null;
  }
}

function startByPs(pid: number): string | null {
  try {
    const [state = "Z", ...startedAt] = ps(pid, "state=,lstart=").trim().split(/\s+/);
    return state.startsWith("Z") ? null : startedAt.join("_").replaceAll(/[^\w]/g, "_");
  } catch {
    return null;
  }
}

function ps(pid: number, columns: string): string {
  return execFileSync("ps", ["-o", columns, "-p", String(pid)], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
}

function readLink(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}
