// What people give to be shared, however they give it: picked, dropped or pasted. Each becomes one source:
// a lone file stays a file, everything else becomes a folder.

import { share } from './strings.js';

/** A drop of more entries than this is refused before it is read: the page would hold a File object for each. */
const MAX_ENTRIES = 100_000;

/**
 * What `Peer.add` takes, with what the page says about it.
 * @typedef {object} Content
 * @property {string} name
 * @property {File | { path: string, content?: File }[]} input
 * @property {number} size bytes
 * @property {boolean} hidden whether entries whose names begin with a dot are taken
 * @property {number} leftOut how many of those are not
 */

/**
 * @typedef {object} Source
 * @property {string} name
 * @property {(signal: AbortSignal) => Promise<Content>} read walks dropped folders, so it may take a while
 */

/**
 * From a file input, a folder input or the clipboard.
 * @param {Iterable<File>} list
 * @returns {Source | undefined} nothing when the list is empty
 */
export function fromFiles(list) {
  const files = [...list];
  if (files.length === 0) return undefined;
  const folder = files[0].webkitRelativePath.split('/')[0];
  if (folder) {
    const entries = files.map((file) => ({ path: file.webkitRelativePath.slice(folder.length + 1), content: file }));
    return { name: folder, read: async () => folderContent(folder, entries, false) };
  }
  if (files.length === 1) return fromFile(files[0]);
  const name = share.several(files.length);
  // Picked one by one, a hidden file is meant.
  return { name, read: async () => folderContent(name, distinct(files), true) };
}

/**
 * From a drop. Must be called while the event is handled: the list is empty afterwards.
 * @param {DataTransfer} data
 * @returns {Source | undefined}
 */
export function fromDrop(data) {
  const entries = [...data.items]
    .filter((item) => item.kind === 'file')
    .map((item) => item.webkitGetAsEntry?.())
    .filter((entry) => entry !== null && entry !== undefined);
  if (!entries.some((entry) => entry.isDirectory)) return fromFiles(data.files);
  if (entries.length === 1) {
    const [folder] = entries;
    return { name: folder.name, read: async (signal) => folderContent(folder.name, await walk([folder], signal, true), false) };
  }
  const name = share.several(entries.length);
  return { name, read: async (signal) => folderContent(name, await walk(entries, signal, false), false) };
}

/**
 * From text that was pasted or written.
 * @param {string} text
 * @returns {Source}
 */
export function fromText(text) {
  return fromFile(new File([text], share.textName, { type: 'text/plain' }));
}

function fromFile(/** @type {File} */ file) {
  /** @type {Source} */
  const source = { name: file.name, read: async () => ({ name: file.name, input: file, size: file.size, hidden: true, leftOut: 0 }) };
  return source;
}

/** @returns {Content} */
function folderContent(/** @type {string} */ name, /** @type {{ path: string, content?: File }[]} */ all, /** @type {boolean} */ hidden) {
  const input = hidden ? all : all.filter(({ path }) => !/(^|\/)\./.test(path));
  const size = input.reduce((sum, { content }) => sum + (content?.size ?? 0), 0);
  const leftOut = all.filter(({ content }) => content).length - input.filter(({ content }) => content).length;
  return { name, input, size, hidden, leftOut };
}

/** Two files of one name can be picked from two folders on some systems; pasted pictures are all `image.png`. */
function distinct(/** @type {File[]} */ files) {
  const seen = new Map();
  return files.map((content) => {
    const times = (seen.get(content.name) ?? 0) + 1;
    seen.set(content.name, times);
    return { path: times === 1 ? content.name : content.name.replace(/(\.[^.]*)?$/, (tail) => ` (${times})${tail}`), content };
  });
}

/**
 * Everything below the dropped entries, breadth first, without recursion.
 * @param {FileSystemEntry[]} roots
 * @param {AbortSignal} signal
 * @param {boolean} strip whether the paths begin below the root
 */
async function walk(roots, signal, strip) {
  /** @type {{ path: string, content?: File }[]} */
  const found = [];
  const queue = roots.map((entry) => ({ entry, path: strip ? '' : entry.name }));
  for (let at = 0; at < queue.length; at += 1) {
    signal.throwIfAborted();
    if (queue.length > MAX_ENTRIES) throw Object.assign(new Error(`More than ${MAX_ENTRIES} entries in one drop.`), { code: 'LIMIT' });
    const { entry, path } = queue[at];
    if (entry.isFile) {
      found.push({ path, content: await fileOf(/** @type {FileSystemFileEntry} */ (entry)) });
      continue;
    }
    const children = await childrenOf(/** @type {FileSystemDirectoryEntry} */ (entry));
    if (children.length === 0 && path) found.push({ path: `${path}/` });
    for (const child of children) queue.push({ entry: child, path: path ? `${path}/${child.name}` : child.name });
  }
  return found;
}

/** @returns {Promise<File>} */
function fileOf(/** @type {FileSystemFileEntry} */ entry) {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

/** `readEntries` gives them in portions, and an empty portion at the end. */
async function childrenOf(/** @type {FileSystemDirectoryEntry} */ folder) {
  const reader = folder.createReader();
  const all = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const portion = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (portion.length === 0) return all;
    all.push(...portion);
  }
}
