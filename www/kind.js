// What of a stranger's file may be shown on our own origin: pictures that are pixels, sound and film, plain text.
// Nothing that can run: HTML, SVG and PDF are text or nothing. The type is ours, never the one the file claims.

import { extension } from './names.js';

/** Larger pictures are not decoded unasked. */
export const MAX_IMAGE = 20_000_000;
/** Larger recordings are not held as one piece for a preview. */
export const MAX_MEDIA = 100_000_000;
/** As much of a text as is shown. */
export const MAX_TEXT = 65_536;
/** Enough of the beginning to tell what it is. */
export const HEAD = 32;

/** Pixels only, told by their first bytes. @type {[string, (b: Uint8Array) => boolean][]} */
const IMAGES = [
  ['image/png', (b) => starts(b, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])],
  ['image/jpeg', (b) => starts(b, [0xff, 0xd8, 0xff])],
  ['image/gif', (b) => ascii(b, 0, 'GIF87a') || ascii(b, 0, 'GIF89a')],
  ['image/webp', (b) => ascii(b, 0, 'RIFF') && ascii(b, 8, 'WEBP')],
  ['image/avif', (b) => ascii(b, 4, 'ftypavif') || ascii(b, 4, 'ftypavis')],
  ['image/bmp', (b) => ascii(b, 0, 'BM') && b.length >= 26],
];

/** By extension; a wrong one merely does not play. */
const MEDIA = new Map([
  ['mp4', 'video/mp4'], ['m4v', 'video/mp4'], ['webm', 'video/webm'], ['ogv', 'video/ogg'], ['mov', 'video/mp4'],
  ['mp3', 'audio/mpeg'], ['m4a', 'audio/mp4'], ['aac', 'audio/aac'], ['ogg', 'audio/ogg'], ['oga', 'audio/ogg'],
  ['opus', 'audio/ogg'], ['wav', 'audio/wav'], ['flac', 'audio/flac'], ['weba', 'audio/webm'],
]);

/**
 * @typedef {{ kind: 'image' | 'audio' | 'video', type: string } | { kind: 'text' } | { kind: 'none' }} Kind
 */

/**
 * @param {string} name
 * @param {number} size
 * @param {Uint8Array} head the first bytes, `HEAD` where there are as many
 * @returns {Kind}
 */
export function kindOf(name, size, head) {
  const image = IMAGES.find(([, is]) => is(head))?.[0];
  if (image) return size <= MAX_IMAGE ? { kind: 'image', type: image } : { kind: 'none' };
  const media = MEDIA.get(extension(name));
  if (media) {
    const kind = media.startsWith('audio') ? 'audio' : 'video';
    return size <= MAX_MEDIA && size > 0 ? { kind, type: media } : { kind: 'none' };
  }
  return size > 0 && textOf(head) !== undefined ? { kind: 'text' } : { kind: 'none' };
}

/**
 * Bytes as text, if they are: UTF-8 without controls. A character that is cut off at the end is left out.
 * @param {Uint8Array} bytes
 */
export function textOf(bytes) {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    // eslint-disable-next-line no-control-regex
    return /[\u0000-\u0008\u000e-\u001a\u001c-\u001f]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

function starts(/** @type {Uint8Array} */ bytes, /** @type {number[]} */ expected) {
  return expected.every((byte, at) => bytes[at] === byte);
}

function ascii(/** @type {Uint8Array} */ bytes, /** @type {number} */ at, /** @type {string} */ expected) {
  return [...expected].every((character, index) => bytes[at + index] === character.charCodeAt(0));
}
