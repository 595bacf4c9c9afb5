export type { OnEvent, TechnicalFact } from "../waking/facts.ts";
export { defineConfig, type WorkerConfig, type WorkerConfigSource } from "./define-config.ts";
export type { RunningDrain } from "./drains.ts";
export type { WorkerOptions } from "./options.ts";
export { startWorker, type Worker, type WorkerStatus } from "./start-worker.ts";
