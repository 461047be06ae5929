// Who is fetching what from this page, and from whom this page fetches: the tally of the peer's `sent` and `received` events.

import { Model } from './events.js';
import { Rate } from './progress.js';

/** A peer that got or gave nothing for this many milliseconds is no longer called active. */
const ACTIVE_MS = 5_000;

/** Rows about peers that are done stay on the screen this long. */
const SHOWN_MS = 60_000;

/** Rows kept at most; the oldest goes first. Far more than a browser holds connections. */
const MAX_ROWS = 200;

/**
 * @typedef {object} Row
 * @property {string} root CID, '' where the peer does not know it
 * @property {string} peer
 * @property {number} bytes
 * @property {number} last when it moved, by `performance.now()`
 * @property {Rate} rate
 */

export class Transfers extends Model {
  /** @type {Map<string, Row>} */
  #sent = new Map();
  /** @type {Map<string, Row>} */
  #received = new Map();

  /** @param {EventTarget} host passes on the events of the peer */
  constructor(host) {
    super();
    host.addEventListener('sent', (event) => this.#count(this.#sent, event));
    host.addEventListener('received', (event) => this.#count(this.#received, event));
  }

  /**
   * Who fetches or lately fetched `root`, newest first. What was sent without a known root counts for every root.
   * @param {string} root
   */
  downloaders(root) {
    const since = performance.now() - SHOWN_MS;
    return [...this.#sent.values()].filter((row) => row.last >= since && (row.root === root || row.root === '')).reverse();
  }

  /**
   * How many are fetching `root` at the moment, as far as it is known.
   * @param {string} root
   */
  fetching(root) {
    return [...this.#sent.values()].filter((row) => row.root === root && this.isActive(row)).length;
  }

  /**
   * Who gave something of `root` in the last seconds, the fastest first.
   * @param {string} root
   */
  sources(root) {
    const now = performance.now();
    return [...this.#received.values()]
      .filter((row) => this.isActive(row) && (row.root === root || row.root === ''))
      .sort((a, b) => b.rate.perSecond(now) - a.rate.perSecond(now));
  }

  /** Whether something moved in the last seconds. @param {Row} row */
  isActive(row) {
    return performance.now() - row.last < ACTIVE_MS;
  }

  /** Whether somebody is fetching from this page at the moment. */
  get sending() {
    return [...this.#sent.values()].some((row) => this.isActive(row));
  }

  #count(/** @type {Map<string, Row>} */ rows, /** @type {Event} */ event) {
    const { root, bytes, peer } = /** @type {CustomEvent} */ (event).detail;
    const key = `${peer} ${root ?? ''}`;
    const now = performance.now();
    const row = rows.get(key) ?? { root: root ?? '', peer, bytes: 0, last: now, rate: new Rate() };
    if (row.bytes === 0) row.rate.sample(now, 0);
    row.bytes += bytes;
    row.last = now;
    row.rate.sample(now, row.bytes);
    rows.delete(key);
    rows.set(key, row);
    if (rows.size > MAX_ROWS) rows.delete(rows.keys().next().value ?? '');
    this.progressed();
  }
}
