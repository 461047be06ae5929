// A folder as a zip, streamed: entries are listed, and files read, only as the zip is being written.

import { makeZip } from 'client-zip';
import { Names } from './names.js';

/** Folders inside folders, at most: deeper trees are built to harm. */
const MAX_DEPTH = 64;

/** Entries of one zip, at most. Names of entries are all that is held of them. */
const MAX_ENTRIES = 100_000;

/**
 * @param {import('./peer.js').Peer} peer
 * @param {string} root path of the folder
 * @param {{ providers: string[], signal: AbortSignal, onSkip: () => void }} options `onSkip`: an entry is no file and no folder
 * @returns {ReadableStream<Uint8Array>}
 */
export function zipFolder(peer, root, options) {
  return makeZip(walk(peer, root, options), { buffersAreUTF8: true });
}

/** Files below `root`, depth first, without recursion. Every name is made safe and given once in its folder. */
async function* walk(
  /** @type {import('./peer.js').Peer} */ peer,
  /** @type {string} */ root,
  /** @type {{ providers: string[], signal: AbortSignal, onSkip: () => void }} */ { providers, signal, onSkip },
) {
  const where = { providers, signal };
  const folders = [{ path: root, prefix: '', depth: 0 }];
  let count = 0;
  for (let folder = folders.pop(); folder; folder = folders.pop()) {
    if (folder.depth > MAX_DEPTH) throw limit(`folders are nested more than ${MAX_DEPTH} deep`);
    const names = new Names();
    // The empty ones would be lost otherwise.
    if (folder.prefix) yield { name: folder.prefix };
    for await (const entry of peer.ls(folder.path, where)) {
      count += 1;
      if (count > MAX_ENTRIES) throw limit(`there are more than ${MAX_ENTRIES} entries`);
      // By the CID of the entry, not by its name: a name may hold what no path can.
      const path = `/ipfs/${entry.cid}`;
      if (entry.type === 'directory') {
        folders.push({ path, prefix: `${folder.prefix}${names.take(entry.name, 'folder')}/`, depth: folder.depth + 1 });
      } else if (entry.type === 'file' || entry.type === 'raw') {
        yield { name: folder.prefix + names.take(entry.name), input: peer.cat(path, where), lastModified: new Date() };
      } else {
        onSkip();
      }
    }
  }
}

function limit(/** @type {string} */ what) {
  return Object.assign(new Error(`The folder cannot be zipped: ${what}.`), { code: 'LIMIT' });
}
