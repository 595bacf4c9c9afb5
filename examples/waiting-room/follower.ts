import { setTimeout as sleep } from "node:timers/promises";
import type { Store, StoredEvent } from "../../src/index.ts";
import { category, roomStream, waiting } from "./domain.ts";
import type { Ledger } from "./ledger.ts";
import { lookAgain, newView, type RoomView, takeIn } from "./room-view.ts";

/** Follows the log and keeps the rooms as they are, for the board in the hall. */
export interface Follower {
  /** Follows until told to stop. */
  follow(isOver: () => boolean): Promise<void>;
  /** How many wait in each room. */
  board(): { readonly room: string; readonly waiting: number }[];
}

/** How long to wait where there is nothing new, in milliseconds. */
const pause = 25;

/** Begins with the rooms as they are now: a run goes on where the one before has ended. */
export async function createFollower(store: Store, rooms: readonly string[], ledger: Ledger): Promise<Follower> {
  // first the place, then the rooms: what happens in between is seen twice, and taken in once
  let position = await store.horizon();
  const views = new Map<string, RoomView>();
  for (const room of rooms) await viewOf(roomStream(room, new Date()));

  async function viewOf(streamId: string): Promise<RoomView> {
    const known = views.get(streamId);
    if (known) return known;
    const view = newView(streamId);
    await lookAgain(store, view);
    views.set(streamId, view);
    return view;
  }

  async function take(event: StoredEvent): Promise<void> {
    ledger.read(event);
    const view = await viewOf(event.streamId);
    if (event.version <= view.version || takeIn(view, event)) return;
    ledger.hole();
    view.version = event.version;
  }

  return {
    async follow(isOver) {
      while (!isOver()) {
        for await (const event of store.iterateAll({ afterPosition: position, categories: [category] })) {
          await take(event);
          position = event.position;
        }
        await sleep(pause);
      }
    },
    board() {
      const today = new Date();
      return rooms.map((room) => {
        const view = views.get(roomStream(room, today));
        return { room, waiting: view ? waiting(view.room).length : 0 };
      });
    },
  };
}
