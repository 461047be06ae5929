// What is happening while something is opened, in words. Pure: the caller brings what it sees and how long it has seen it.

import { bytes } from './progress.js';
import { open as words } from './strings.js';

/** After this many milliseconds without an answer, nobody who was asked has it. */
const NOBODY_MS = 3_000;

/** After this many milliseconds without a byte, a transfer that began counts as stalled. */
const STALLED_MS = 10_000;

/**
 * How the search of the package goes: peers asked; peers named or found, and of these connected or out of reach.
 * @typedef {{ asked: number, found: number, connected: number, failed: number }} Search
 */

/**
 * @typedef {object} Seen
 * @property {string} state as in `Opening`
 * @property {boolean} running whether the peer is there
 * @property {boolean} online whether this device has a network
 * @property {number} loaded bytes that came so far
 * @property {number} peers connected now
 * @property {number} asked peers that were connected while it was looked for
 * @property {boolean} named whether the link names somebody who has it
 * @property {Search} [search]
 * @property {number} searchedMs since the search began
 * @property {number} quietMs since anything came
 */

/**
 * '' where figures say it better.
 * @param {Seen} seen
 */
export function doing(seen) {
  if (!seen.running) return words.waiting;
  switch (seen.state) {
    case 'listing':
      return words.listing;
    case 'fetching':
      return seen.quietMs > STALLED_MS ? words.stalled : '';
    case 'waiting':
      if (seen.online && seen.loaded > 0) return words.interrupted(bytes(seen.loaded));
      return seen.online ? words.nobody(askedOf(seen)) : words.nobodyOffline;
    default:
      return searching(seen);
  }
}

function searching(/** @type {Seen} */ seen) {
  const { found = 0, connected = 0, failed = 0 } = seen.search ?? {};
  if (!seen.online) return words.nobodyOffline;
  if (found > connected + failed) return words.connecting(found);
  if (found > 0 && failed === found) return words.unreachable(found);
  if (seen.searchedMs > NOBODY_MS) return words.nobody(askedOf(seen));
  return seen.named && seen.peers === 0 ? words.dialling : words.asking(seen.peers);
}

function askedOf(/** @type {Seen} */ { search, asked }) {
  return Math.max(search?.asked ?? 0, asked);
}
