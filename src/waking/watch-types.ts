import type { ClientConfig } from "pg";
import type { Db } from "../db.ts";
import type { OnEvent } from "./facts.ts";

/** Somebody who wants to know how the log goes on. Neither method may throw or take long. */
export interface Follower {
  /** The log is settled up to here; told whenever that has moved, and once at the beginning. */
  onHorizon(horizon: bigint): void;
  /** Something else may be due: a person has changed something, or the safety poll has come round. */
  onNudge?(): void;
  /** The listening connection is there, or there again: session locks are to be taken on it. */
  onListening?(db: Db): void;
  /** Whether it has work with what comes at the moment. It has, unless it says otherwise. */
  isBusy?(): boolean;
  /** Told of technical facts. */
  readonly onEvent?: OnEvent | undefined;
}

/** Watches the log for all followers of a process: one look and one listening connection for all of them. */
export interface Watch {
  /** Begins to follow. The function given back ends it. */
  follow(follower: Follower): () => void;
  /** The greatest horizon that was seen; undefined before the first look. */
  readonly horizon: bigint | undefined;
  /** The listening connection, if there is one now. */
  readonly listener: Db | undefined;
  /** Looks again soon, asleep or not. */
  poke(): void;
  /** Ends it, and its connection. */
  stop(): Promise<void>;
}

/** How the log is watched. */
export interface WatchOptions {
  /** For looking while the listening connection is not there. */
  readonly db: Db;
  /** Where to listen; undefined = nowhere (no such connection is to be had), so it looks again and again. */
  readonly connection?: ClientConfig | undefined;
  /** Milliseconds after which a sleeper looks though nobody has woken it; 30,000 unless said otherwise. */
  readonly safetyPoll?: number | undefined;
}
