import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** A worker in a process of its own. */
export interface WorkerChild {
  /** Its process. */
  readonly pid: number;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Ends the process. */
  end(): void;
}

/** Makes the process; the worker in it starts when it is told to. `types`: what each handler follows. */
export function workerChild(
  url: string,
  handlers: readonly { readonly name: string; readonly types: readonly string[] }[],
): WorkerChild {
  const script = fileURLToPath(new URL("./worker-process.ts", import.meta.url));
  const child = fork(script, [JSON.stringify({ url, handlers })]);
  return {
    pid: child.pid ?? 0,
    start: () => tell(child, "start"),
    stop: () => tell(child, "stop"),
    end: () => child.disconnect(),
  };
}

async function tell(child: ChildProcess, message: string): Promise<void> {
  child.send(message);
  await once(child, "message");
}
