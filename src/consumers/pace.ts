/** How many messages the next batch takes. After a failure: fewer, until the message to blame is alone in its batch. */
export interface Pace {
  next(): number;
  /** A batch has been done. */
  onDone(): void;
  /** One of so many failed, and it is not known which. */
  onUnknown(count: number): void;
  /** The one at this place failed: the ones before it are done again, then it is tried alone. */
  onFailed(index: number): void;
}

export function pace(most: number): Pace {
  let size = most;
  let planned: number[] = [];
  return {
    next: () => planned[0] ?? size,
    onDone() {
      if (planned.shift() === undefined) size = Math.min(most, size * 2);
    },
    onUnknown(count) {
      planned = [];
      size = Math.max(1, Math.floor(count / 2));
    },
    onFailed(index) {
      planned = index > 0 ? [index, 1] : [1];
    },
  };
}
