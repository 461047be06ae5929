// Whether there is room for what is wanted. Better said before an hour of fetching than after it.

import { bytes } from './progress.js';

/**
 * Throws the error that the store would throw in the middle.
 * @param {import('./peer.js').Peer} peer
 * @param {number} missing bytes
 */
export async function checkRoom(peer, missing) {
  const { used, quota } = await peer.usage();
  if (quota === undefined || missing <= quota - used) return;
  const message = `${bytes(missing)} are needed, ${bytes(Math.max(0, quota - used))} are left.`;
  throw Object.assign(new Error(message), { code: 'QUOTA' });
}
