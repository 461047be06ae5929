import { ofBlob } from './blob.js'
import { asBytes, isBuffer, ofBytes, ofParts, streamParts } from './bytes.js'
import { AvocetError } from './errors.js'

/**
 * An entry as the core takes it: a file has `bytes`, a link to what exists `cid` and `tsize`, a
 * symbolic link `symlink`, and a folder none of these.
 *
 * @typedef {{ path: string, bytes?: import('./bytes.js').Bytes, symlink?: string, cid?: string,
 *   tsize?: number, mode?: number, secs?: number, nsecs?: number }} CoreEntry
 */

/** What makes an object an entry: what it is, and where it stands. */
const FIELDS = ['path', 'content', 'symlink', 'cid']

/**
 * @param {any} item a File or an entry
 * @param {boolean} alone one that needs no path
 * @returns {CoreEntry}
 */
export function toCore (item, alone) {
  if (isBlob(item)) item = { path: /** @type {any} */ (item).webkitRelativePath || /** @type {any} */ (item).name, content: item }
  if (!item || typeof item !== 'object' || !isEntry(item)) {
    throw new AvocetError('INVALID_OPTION', `an entry is a File or an object with "path" and "content", not ${typeof item}`)
  }
  const { path = '', content, symlink, cid } = item
  if (typeof path !== 'string') throw new AvocetError('INVALID_PATH', 'the path of an entry is a string')
  if (path === '' && !alone) throw new AvocetError('INVALID_PATH', 'an entry in a list has no path')
  const clean = checkPath(path)
  const given = [content, symlink, cid].filter(value => value !== undefined && value !== null)
  if (path.endsWith('/')) {
    if (given.length > 0) throw new AvocetError('INVALID_PATH', `"${path}" ends in "/", so it is a folder and cannot have content`)
    return { path: clean, ...meta(item, path) }
  }
  if (given.length > 1) throw wrong(path, 'has one of "content", "symlink" and "cid"')
  if (cid !== undefined && cid !== null) return { path: clean, ...link(item, path) }
  if (symlink === undefined || symlink === null) return { path: clean, bytes: toBytes(content, clean), ...meta(item, path) }
  if (typeof symlink !== 'string' || !wellFormed(symlink)) throw wrong(path, 'has a string as its "symlink"')
  return { path: clean, symlink, ...meta(item, path) }
}

/** Whether it is a folder. @param {CoreEntry} entry */
export const isFolder = ({ bytes, symlink, cid }) => bytes === undefined && symlink === undefined && cid === undefined

/**
 * A link to what exists already.
 *
 * @param {any} item
 * @param {string} path for messages
 */
function link ({ cid, tsize, mode, mtime }, path) {
  if (typeof cid !== 'string') throw new AvocetError('INVALID_CID', `the "cid" of "${path}" is not a string`)
  if (!Number.isSafeInteger(tsize) || tsize < 0) throw wrong(path, 'has a "cid", and needs "tsize": the bytes of all its blocks')
  if (mode !== undefined || mtime !== undefined) throw wrong(path, 'has a "cid": mode and mtime are in what that names')
  return { cid, tsize }
}

/**
 * Mode and time, where they are given.
 *
 * @param {any} item
 * @param {string} path for messages
 */
function meta ({ mode, mtime, tsize }, path) {
  if (tsize !== undefined) throw wrong(path, 'has a "tsize" without a "cid"')
  if (mode !== undefined && !isWhole(mode, 0xffffffff)) throw wrong(path, 'has a "mode" of 32 bits, as in 0o644')
  if (mtime === undefined) return { mode }
  const { secs, nsecs = 0 } = mtime ?? {}
  if (!Number.isSafeInteger(secs) || !isWhole(nsecs, 999_999_999)) throw wrong(path, 'has an "mtime" as in { secs, nsecs? }')
  return { mode, secs, nsecs }
}

/** @param {unknown} value @param {number} most */
const isWhole = (value, most) => Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= most

/** @param {string} path @param {string} rule */
const wrong = (path, rule) => new AvocetError('INVALID_OPTION', `the entry "${path}" ${rule}`)

/**
 * @param {any} content
 * @param {string} path
 * @returns {import('./bytes.js').Bytes}
 */
export function toBytes (content, path) {
  if (isBlob(content)) return ofBlob(content, path)
  if (isBuffer(content) || ArrayBuffer.isView(content)) return ofBytes(asBytes(content, path))
  if (isStream(content)) return ofParts(streamParts(content), path)
  const iterate = content && typeof content === 'object' && (content[Symbol.asyncIterator] ?? content[Symbol.iterator])
  if (typeof iterate === 'function') return ofParts(toAsync(iterate.call(content)), path)
  throw new AvocetError('INVALID_OPTION',
    `the content of "${path}" must be a Blob, bytes, a stream or an iterable of Uint8Array; a folder's path ends in "/"`)
}

/**
 * @param {Iterator<unknown> | AsyncIterator<unknown>} iterator
 * @returns {AsyncIterator<unknown>}
 */
function toAsync (iterator) {
  return {
    next: async () => iterator.next(),
    return: async () => iterator.return?.() ?? { done: true, value: undefined }
  }
}

/**
 * A path inside the tree: names between slashes, none of them empty, `.` or `..`.
 *
 * @param {string} path
 * @returns {string} without slashes at either end
 */
function checkPath (path) {
  const clean = path.replace(/^\/|\/$/g, '')
  if (clean !== '') clean.split('/').forEach(name => checkName(name, path))
  return clean
}

/**
 * @param {string} name
 * @param {string} [path] where it stands
 */
export function checkName (name, path = name) {
  const wrong = name === '' || name === '.' || name === '..' || name.includes('/') || name.includes('\0') || !wellFormed(name)
  if (wrong) throw new AvocetError('INVALID_PATH', `${JSON.stringify(name)} in ${JSON.stringify(path)} cannot be the name of a file`)
}

/** Whether it can be the name of a file. @param {string} name */
export function isName (name) {
  try {
    checkName(name)
    return true
  } catch {
    return false
  }
}

/** Half a surrogate pair would come out as another name. @param {string} name */
function wellFormed (name) {
  try { encodeURIComponent(name) } catch { return false }
  return true
}

/** @param {any} value @returns {value is Blob} */
export const isBlob = value => typeof value?.arrayBuffer === 'function' && typeof value.slice === 'function' && typeof value.size === 'number'

/** @param {any} value @returns {value is ReadableStream} */
const isStream = value => typeof value?.getReader === 'function'

/** @param {any} value */
export const isContent = value => isBlob(value) || isBuffer(value) || ArrayBuffer.isView(value) || isStream(value)

/** @param {any} value */
export const isEntry = value => FIELDS.some(field => field in value)
