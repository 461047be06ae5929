// How fast something moves, how long it will still take, and how such figures are said. No clock of its own:
// whoever calls brings the time, in milliseconds.

/** The speed is an average over the last this many milliseconds: short enough to follow a change, long enough to read. */
const WINDOW_MS = 5_000;

/** At most this many samples are kept; closer ones are merged, so that a burst of events costs nothing. */
const MAX_SAMPLES = 50;

/** Bytes a second over a sliding window. */
export class Rate {
  /** @type {{ at: number, bytes: number }[]} oldest first; `bytes` is the total at that time */
  #samples = [];

  /**
   * Takes the total so far. A total that falls (a new attempt) starts the window anew.
   * @param {number} at milliseconds
   * @param {number} bytes
   */
  sample(at, bytes) {
    const last = this.#samples.at(-1);
    if (last && bytes < last.bytes) this.#samples = [];
    if (last && this.#samples.length > 1 && at - last.at < WINDOW_MS / MAX_SAMPLES) {
      last.bytes = bytes;
      return;
    }
    this.#samples.push({ at, bytes });
    this.#forget(at);
  }

  /**
   * Bytes a second, 0 while nothing moves or too little is known.
   * @param {number} at
   */
  perSecond(at) {
    this.#forget(at);
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (!first || !last || last.bytes === first.bytes || at - last.at > WINDOW_MS) return 0;
    // To now, not to the last sample: a transfer that has stopped slows down on the screen too.
    const seconds = Math.max(at - first.at, 250) / 1000;
    return (last.bytes - first.bytes) / seconds;
  }

  /**
   * Seconds until `total`, or `undefined` when that cannot be said.
   * @param {number} at
   * @param {number} total
   */
  secondsLeft(at, total) {
    const speed = this.perSecond(at);
    const done = this.#samples.at(-1)?.bytes ?? 0;
    if (!(speed > 0) || !(total > done)) return undefined;
    return (total - done) / speed;
  }

  #forget(/** @type {number} */ at) {
    // The newest sample before the window stays: it is where the window begins.
    while (this.#samples.length > 2 && this.#samples[1].at <= at - WINDOW_MS) this.#samples.shift();
    while (this.#samples.length > MAX_SAMPLES) this.#samples.shift();
  }
}

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'];

/**
 * A size as people say it, in decimal units: `0 bytes`, `999 bytes`, `1.2 kB`, `50 MB`.
 * @param {number | bigint | undefined} size
 */
export function bytes(size) {
  let value = Number(size ?? 0);
  if (!Number.isFinite(value) || value < 0) return '? bytes';
  if (value === 1) return '1 byte';
  let unit = 0;
  // 999.5 would be printed as 1000 of the smaller unit.
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit > 0 && value < 9.95 ? 1 : 0;
  return `${value.toFixed(digits).replace(/\.0$/, '')} ${UNITS[unit]}`;
}

/**
 * A duration as people say it: `a second`, `8 seconds`, `2 minutes`, `3 h 5 min`, `more than a day`.
 * @param {number} seconds
 */
export function duration(seconds) {
  if (!(seconds >= 1.5)) return 'a second';
  if (seconds < 60) return `${Math.round(seconds)} seconds`;
  if (seconds < 90) return 'a minute';
  if (seconds < 3600) return `${Math.round(seconds / 60)} minutes`;
  if (seconds >= 86_400) return 'more than a day';
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/**
 * Whole per cent, never 100 before everything is there.
 * @param {number} loaded
 * @param {number} total
 */
export function percent(loaded, total) {
  if (!(total > 0)) return loaded > 0 ? 100 : 0;
  if (loaded >= total) return 100;
  return Math.max(0, Math.min(99, Math.floor((loaded / total) * 100)));
}
