// What is happening, in words, for the one live region of the page. Each part of the page has its own line;
// the newest is shown. A live region that changes with every block would drown a screen reader: progress is rare here.

import { Model } from './events.js';

/** Progress is said anew after this many milliseconds. */
const PROGRESS_MS = 5_000;

/** A line about something that is over is taken away after this many milliseconds. */
const PASSING_MS = 12_000;

export class Announcer extends Model {
  /** What is shown while nobody has anything to say. */
  #base = '';
  /** @type {Map<string, string>} in the order in which they were said */
  #lines = new Map();
  /** @type {Map<string, number>} */
  #lastProgress = new Map();
  /** @type {Map<string, ReturnType<typeof setTimeout>>} */
  #timers = new Map();

  get text() {
    return [...this.#lines.values()].at(-1) ?? this.#base;
  }

  /** @param {string} text */
  base(text) {
    if (text === this.#base) return;
    this.#base = text;
    this.changed();
  }

  /**
   * Says a line that holds until it is replaced or cleared.
   * @param {string} part
   * @param {string} text
   */
  say(part, text) {
    clearTimeout(this.#timers.get(part));
    if (this.#lines.get(part) === text) return;
    this.#lines.delete(part);
    this.#lines.set(part, text);
    this.changed();
  }

  /**
   * Says a line about something that is over.
   * @param {string} part
   * @param {string} text
   */
  tell(part, text) {
    this.say(part, text);
    this.#timers.set(part, setTimeout(() => this.clear(part), PASSING_MS));
  }

  /**
   * Says how far something is, now and then.
   * @param {string} part
   * @param {string} text
   */
  progress(part, text) {
    const now = performance.now();
    if (now - (this.#lastProgress.get(part) ?? -Infinity) < PROGRESS_MS) return;
    this.#lastProgress.set(part, now);
    this.say(part, text);
  }

  /** @param {string} part */
  clear(part) {
    clearTimeout(this.#timers.get(part));
    this.#lastProgress.delete(part);
    if (this.#lines.delete(part)) this.changed();
  }
}
