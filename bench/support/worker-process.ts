/*
 * A worker in a process of its own, for benches: its parent says when it starts and stops. Argument: what it runs, JSON.
 */
import pg from "pg";
import { z } from "zod";
import { defineHandler, startWorker, type Worker } from "../../src/index.ts";

const settings = z
  .object({ url: z.string(), handlers: z.array(z.object({ name: z.string(), types: z.array(z.string()) })) })
  .parse(JSON.parse(process.argv[2] ?? "{}"));

const handlers = settings.handlers.map(({ name, types }) =>
  defineHandler({ name, subscribesTo: types, from: "now", handle: async () => undefined }),
);

const pool = new pg.Pool({ connectionString: settings.url, max: 8 });
let worker: Worker | undefined;

process.on("message", async (message) => {
  if (message === "start") worker = await startWorker({ db: pool, directUrl: settings.url, handlers });
  else {
    await worker?.stop();
    worker = undefined;
  }
  process.send?.(message);
});
process.on("disconnect", () => process.exit(0));
