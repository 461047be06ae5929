import { ofBlob } from './blob.js'
import { asBytes, isBuffer, ofBytes, ofParts, streamParts } from './bytes.js'
import { AvocetError } from './errors.js'
import { unsupported } from './options.js'

/**
 * An entry as the core takes it: `bytes` is absent for a folder.
 *
 * @typedef {{ path: string, bytes: import('./bytes.js').Bytes | undefined }} CoreEntry
 */

/** What the contract has for an entry and this version does not build. */
const LATER = ['symlink', 'cid', 'tsize', 'mode', 'mtime']

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
  for (const field of LATER) if (item[field] !== undefined) throw unsupported(`"${field}" of an entry`)
  const { path = '', content } = item
  if (typeof path !== 'string') throw new AvocetError('INVALID_PATH', 'the path of an entry is a string')
  if (path === '' && !alone) throw new AvocetError('INVALID_PATH', 'an entry in a list has no path')
  const clean = checkPath(path)
  if (path.endsWith('/')) {
    if (content !== undefined && content !== null) {
      throw new AvocetError('INVALID_PATH', `"${path}" ends in "/", so it is a folder and cannot have content`)
    }
    return { path: clean, bytes: undefined }
  }
  return { path: clean, bytes: toBytes(content, clean) }
}

/**
 * @param {any} content
 * @param {string} path
 * @returns {import('./bytes.js').Bytes}
 */
function toBytes (content, path) {
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
export const isEntry = value => 'path' in value || 'content' in value || LATER.some(field => field in value)
