// Trying until it works: as long as somebody may still appear who has it, not having it is no failure.

import { codeOf, isAbort, isWorthWaiting } from './errors.js';
import { pause } from './events.js';

/** Waits between attempts, in milliseconds; the last one repeats. A new connection or network ends a wait at once. */
const BACKOFF_MS = [1_000, 2_000, 4_000, 8_000, 15_000];

/**
 * @template T
 * @param {import('./peer.js').PeerHost} host
 * @param {AbortSignal} signal ends it
 * @param {(peer: import('./peer.js').Peer) => Promise<T>} attempt
 * @param {() => void} onWait before each wait
 * @returns {Promise<T>}
 */
export async function insist(host, signal, attempt, onWait) {
  for (let turn = 0; ; turn += 1) {
    const peer = await host.ready(signal);
    try {
      return await attempt(peer);
    } catch (error) {
      // A page without any network has nobody to wait for.
      const alone = codeOf(error) === 'OFFLINE' && !host.hasNetwork;
      if (isAbort(error) || !isWorthWaiting(error) || alone) throw error;
      onWait();
      await pause(BACKOFF_MS[Math.min(turn, BACKOFF_MS.length - 1)], signal, [
        { target: host, types: ['peer:connect', 'online'] },
        { target: globalThis, types: ['online'] },
      ]);
    }
  }
}

/**
 * A link may be cut off in the middle of its last address; the CID may be enough.
 * @template T
 * @param {{ from: string[] } | undefined} link
 * @param {(peer: import('./peer.js').Peer) => Promise<T>} attempt
 */
export function despiteHints(link, attempt) {
  return async (/** @type {import('./peer.js').Peer} */ peer) => {
    try {
      return await attempt(peer);
    } catch (error) {
      if (codeOf(error) !== 'INVALID_ADDR' || !link?.from.length) throw error;
      link.from = [];
      return attempt(peer);
    }
  };
}
