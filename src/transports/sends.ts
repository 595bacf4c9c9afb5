import { TransportClosedError } from "./errors.ts";
import type { SendOutcome } from "./transport.ts";

/** The sends of a transport that are under way, so that closing it can wait for them. */
export class Sends {
  readonly #name: string;
  readonly #underWay = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  /**
   * Runs a send.
   *
   * @throws TransportClosedError after close
   */
  async run(send: () => Promise<readonly SendOutcome[]>): Promise<readonly SendOutcome[]> {
    if (this.#closed) throw new TransportClosedError(`the transport ${this.#name} is closed`);
    const work = send();
    this.#underWay.add(work);
    try {
      return await work;
    } finally {
      this.#underWay.delete(work);
    }
  }

  /** Takes no more sends, waits for those under way, then lets go, once. */
  close(letGo: () => Promise<void> = async () => undefined): Promise<void> {
    this.#closed ??= Promise.allSettled(this.#underWay).then(letGo);
    return this.#closed;
  }
}
