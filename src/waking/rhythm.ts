/*
 * When to look again without being told. While events come one upon the other it is cheaper to look every few
 * milliseconds than to sleep in between: a sleeper makes each append notify, and notifying appends commit one after the
 * other. When they come far apart, sleeping is cheaper, and as fast.
 */

/** Keeps time of what comes. */
export interface Rhythm {
  /** So many positions have come since the last beat. */
  beat(now: number, count: number): void;
  /**
   * Milliseconds until the next look; undefined = it is quiet enough to sleep.
   *
   * @param isWanted whether somebody has work with what comes; otherwise it is looked at less often
   */
  linger(now: number, isWanted: boolean): number | undefined;
}

/** Events further apart than this on average, in milliseconds, are waited for asleep. */
const calm = 12;
/** A pause of so many usual gaps, or of so many milliseconds, is the end of it. */
const quietGaps = 5;
const quiet = { least: 25, most: 100 };
/** Milliseconds between two looks. Where events come thick and fast, a look less often finds more of them at once. */
const look = { wanted: 5, thick: 10, thickest: 20, unwanted: 20 };
/** Events closer together than this on average, in milliseconds, come thick, or as thick as can be. */
const close = { thick: 2.5, thickest: 1 };

export function createRhythm(): Rhythm {
  let gap = 200;
  let last = Number.NEGATIVE_INFINITY;
  return {
    beat(now, count) {
      gap += (Math.min(now - last, 200) / Math.max(count, 1) - gap) / 4;
      last = now;
    },
    linger(now, isWanted) {
      if (gap > calm) return undefined;
      const isOver = now - last > Math.min(Math.max(gap * quietGaps, quiet.least), quiet.most);
      if (isOver) return undefined;
      if (!isWanted) return look.unwanted;
      return gap < close.thickest ? look.thickest : gap < close.thick ? look.thick : look.wanted;
    },
  };
}
