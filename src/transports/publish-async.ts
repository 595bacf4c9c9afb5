import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { type Db, type DbLike, toDb } from "../db.ts";
import { type PublishInput, publish } from "../outbox/publish.ts";
import { isConnectionLoss, isRetriable } from "../retriable.ts";
import { uuidV7 } from "../store/uuid-v7.ts";
import { Backoff } from "./backoff.ts";
import { TransportClosedError, toError } from "./errors.ts";

const isFunction = (value: unknown) => typeof value === "function";

const publisherOptions = z.strictObject({
  maxBuffered: z.int().min(1).default(10_000),
  maxBatch: z.int().min(1).max(10_000).default(200),
  onOverflow: z.custom<(message: PublishInput) => void>(isFunction, "onOverflow is a function").optional(),
  onError: z.custom<(error: Error, message: PublishInput) => void>(isFunction, "onError is a function").optional(),
});

/** Options of a buffered publisher. */
export interface AsyncPublisherOptions {
  /** Messages kept at most; what comes beyond is refused. 10,000. */
  readonly maxBuffered?: number | undefined;
  /** Messages put into the outbox in one transaction at most; 200. */
  readonly maxBatch?: number | undefined;
  /** Told of each message that was refused because the buffer was full. */
  readonly onOverflow?: ((message: PublishInput) => void) | undefined;
  /** Told of each message that will not be published: the database refused it, or it was left when the time to close was over. */
  readonly onError?: ((error: Error, message: PublishInput) => void) | undefined;
}

/** What a buffered publisher has done. */
export interface AsyncPublisherStatus {
  /** Messages that wait. */
  readonly buffered: number;
  /** Messages in the outbox. */
  readonly published: number;
  /** Messages refused because the buffer was full, or the publisher closed. */
  readonly overflowed: number;
  /** Messages taken that will not be published. */
  readonly failed: number;
  readonly lastError: Error | null;
}

/** Publishes in the background. */
export interface AsyncPublisher {
  /**
   * Takes a message and returns at once; it never throws, and waits for nothing. The message must not be changed
   * afterwards.
   *
   * @returns false if it was refused: the buffer is full, or the publisher is closed
   */
  publishAsync(message: PublishInput): boolean;
  /** Resolves when all that was taken before is in the outbox, or has failed. */
  flush(): Promise<void>;
  /**
   * Takes no more and flushes.
   *
   * @param timeout milliseconds it may take; what is left then fails; 5,000
   */
  close(timeout?: number): Promise<void>;
  status(): AsyncPublisherStatus;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * A publisher that never blocks its caller: messages wait in a bounded buffer of this process and go into the outbox in
 * batches, in the order they came. From there on they are as safe as with `publish`; until then they are lost with the
 * process, and they are in no transaction of the caller's. While the database is away they wait; a message whose outcome was
 * lost with a connection is put in again, with the same id.
 *
 * @param db a pool: the buffer is emptied while the caller does other things
 */
export function createAsyncPublisher(db: DbLike, options: AsyncPublisherOptions = {}): AsyncPublisher {
  return new BufferedPublisher(toDb(db), publisherOptions.parse(options));
}

class BufferedPublisher implements AsyncPublisher {
  readonly #db: Db;
  readonly #options: z.output<typeof publisherOptions>;
  readonly #buffer: PublishInput[] = [];
  readonly #counts = { published: 0, overflowed: 0, failed: 0 };
  readonly #givenUp = new AbortController();
  #lastError: Error | null = null;
  #working: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(db: Db, options: z.output<typeof publisherOptions>) {
    this.#db = db;
    this.#options = options;
  }

  publishAsync(message: PublishInput): boolean {
    if (this.#closing || this.#buffer.length >= this.#options.maxBuffered) {
      this.#counts.overflowed += 1;
      tell(() => this.#options.onOverflow?.(message));
      return false;
    }
    this.#buffer.push({ ...message, messageId: message.messageId ?? uuidV7() });
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
    return true;
  }

  async flush(): Promise<void> {
    const { published, failed } = this.#counts;
    const until = published + failed + this.#buffer.length;
    while (this.#working && this.#counts.published + this.#counts.failed < until) {
      await Promise.race([this.#working, this.#progress.promise]);
    }
  }

  close(timeout = 5000): Promise<void> {
    this.#closing ??= this.#close(timeout);
    return this.#closing;
  }

  status(): AsyncPublisherStatus {
    return { buffered: this.#buffer.length, ...this.#counts, lastError: this.#lastError };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #progress = Promise.withResolvers<void>();

  async #close(timeout: number): Promise<void> {
    const late = new TransportClosedError(`not published within ${timeout} ms`);
    const timer = setTimeout(() => this.#givenUp.abort(late), timeout);
    const over = new Promise<void>((done) => this.#givenUp.signal.addEventListener("abort", () => done()));
    await Promise.race([this.flush(), over]);
    clearTimeout(timer);
    for (const message of this.#buffer.splice(0)) this.#fail(late, message);
  }

  async #work(): Promise<void> {
    const backoff = new Backoff(50, 5000);
    // the caller goes on first
    await new Promise(setImmediate);
    while (this.#buffer.length > 0) {
      const batch = this.#buffer.slice(0, this.#options.maxBatch);
      const failure = await this.#publish(batch);
      // closing has taken what was left
      if (this.#buffer.length === 0) return;
      if (failure?.isPassing) {
        this.#lastError = failure.error;
        await sleep(backoff.next(), undefined, { signal: this.#givenUp.signal }).catch(() => undefined);
        continue;
      }
      backoff.reset();
      if (failure) await this.#oneByOne(batch);
      else this.#done(batch.length);
    }
  }

  /** One of them is refused: it alone fails. */
  async #oneByOne(batch: readonly PublishInput[]): Promise<void> {
    for (const message of batch) {
      const failure = await this.#publish([message]);
      if (this.#buffer[0] !== message) return;
      // the rest waits for its next turn
      if (failure?.isPassing) return;
      if (!failure) this.#done(1);
      else {
        this.#buffer.shift();
        this.#fail(failure.error, message);
      }
    }
  }

  async #publish(batch: readonly PublishInput[]): Promise<Failure | null> {
    let begun = false;
    try {
      await this.#db.transaction(async (tx) => {
        begun = true;
        for (const message of batch) await publish(tx, message);
      });
      return null;
    } catch (thrown) {
      const error = toError(thrown);
      return { error, isPassing: !begun || isConnectionLoss(error) || isRetriable(error) };
    }
  }

  #done(count: number): void {
    this.#buffer.splice(0, count);
    this.#counts.published += count;
    this.#tick();
  }

  #fail(error: Error, message: PublishInput): void {
    this.#counts.failed += 1;
    this.#lastError = error;
    tell(() => this.#options.onError?.(error, message));
    this.#tick();
  }

  #tick(): void {
    this.#progress.resolve();
    this.#progress = Promise.withResolvers();
  }
}

/** Why a batch was not published. */
interface Failure {
  readonly error: Error;
  /** The same can succeed later, whatever the messages: the database is away. */
  readonly isPassing: boolean;
}

/** Who is told must not stop the work. */
function tell(call: () => void): void {
  try {
    call();
  } catch {
    // it is theirs
  }
}
