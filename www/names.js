// File names come from strangers. Here they are made fit to be shown, and fit to be written to a disk or into a zip.

/** What file systems take at most, in bytes of UTF-8. */
const MAX_NAME_BYTES = 255;

/** Longer names are shown with their middle left out: a name may have 64 KiB. */
const MAX_SHOWN = 240;

/** Controls, and characters that are invisible or turn the reading direction. */
// eslint-disable-next-line no-control-regex
const ODD = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Zero-width joiners are part of emoji and of several scripts: shown and kept where they join something. */
const JOINERS = new Set(['\u200c', '\u200d']);

/** What no Windows and no Unix path segment may hold. */
const FORBIDDEN = /[/\\:*?"<>|]/g;

/** Names that Windows keeps for devices, with whatever extension. */
const DEVICE = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?=$|\.)/i;

const utf8 = new TextEncoder();

/**
 * A name as it is shown: what cannot be seen is written out, so that nobody is deceived by it.
 * The result is text; it goes into text nodes only.
 * @param {string} name
 */
export function shownName(name) {
  const text = shorten(name).replace(ODD, (character) => (JOINERS.has(character) ? character : spell(character)));
  return text.trim() === '' ? '(no name)' : text;
}

/**
 * A name that may be written to a disk: one path segment, no controls, no reserved word, at most 255 bytes.
 * @param {string} name
 * @param {string} [fallback] when nothing of the name can stay
 */
export function safeName(name, fallback = 'file') {
  let safe = name
    .replace(ODD, (character) => (JOINERS.has(character) ? character : '_'))
    .replace(FORBIDDEN, '_')
    .replace(/^ +/, '')
    .replace(/[. ]+$/, '');
  if (safe === '' || /^[._]+$/.test(safe)) safe = fallback;
  if (DEVICE.test(safe)) safe = `_${safe}`;
  return cut(safe, MAX_NAME_BYTES);
}

/** Gives each name of one folder once, however many entries claim it; upper and lower case count as the same. */
export class Names {
  #taken = new Set();

  /**
   * @param {string} name
   * @param {string} [fallback]
   */
  take(name, fallback) {
    const safe = safeName(name, fallback);
    let free = safe;
    for (let number = 2; this.#taken.has(key(free)); number += 1) free = numbered(safe, number);
    this.#taken.add(key(free));
    return free;
  }
}

/**
 * The extension in lower case without its dot, or ''.
 * @param {string} name
 */
export function extension(name) {
  const dot = name.lastIndexOf('.');
  return dot > 0 && name.length - dot <= 12 ? name.slice(dot + 1).toLowerCase() : '';
}

/**
 * A long identifier as its first and last characters.
 * @param {string} id
 * @param {number} [head]
 * @param {number} [tail]
 */
export function shortId(id, head = 6, tail = 6) {
  return id.length <= head + tail + 1 ? id : `${id.slice(0, head)}…${id.slice(-tail)}`;
}

function key(/** @type {string} */ name) {
  return name.normalize('NFC').toLowerCase();
}

function spell(/** @type {string} */ character) {
  return `[U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}]`;
}

function shorten(/** @type {string} */ name) {
  if (name.length <= MAX_SHOWN) return name;
  const head = Math.floor(MAX_SHOWN * 0.7);
  return `${name.slice(0, head)}…${name.slice(head - MAX_SHOWN)}`;
}

/** `a.txt`, 2 -> `a (2).txt`, never longer than a file system takes. */
function numbered(/** @type {string} */ name, /** @type {number} */ number) {
  const tail = extension(name) ? name.slice(name.lastIndexOf('.')) : '';
  const mark = ` (${number})${tail}`;
  const stem = name.slice(0, name.length - tail.length);
  return cutBytes(stem, MAX_NAME_BYTES - utf8.encode(mark).length) + mark;
}

/** Cuts to `max` bytes, in front of the extension. */
function cut(/** @type {string} */ name, /** @type {number} */ max) {
  if (utf8.encode(name).length <= max) return name;
  const tail = extension(name) ? name.slice(name.lastIndexOf('.')) : '';
  const room = max - utf8.encode(tail).length;
  return cutBytes(name.slice(0, name.length - tail.length), room) + tail;
}

/** The longest beginning of whole code points within `max` bytes. */
function cutBytes(/** @type {string} */ text, /** @type {number} */ max) {
  const { read } = utf8.encodeInto(text, new Uint8Array(Math.max(0, max)));
  return text.slice(0, read).replace(/[. ]+$/, '');
}
