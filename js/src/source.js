import { ofBlob } from './blob.js'
import { checkName, isBlob, isContent, isEntry, isFolder, toCore, isName } from './entry.js'
import { AvocetError } from './errors.js'

/** @typedef {import('./entry.js').CoreEntry} CoreEntry */

/**
 * The content of one file.
 *
 * @typedef {Blob | ArrayBuffer | ArrayBufferView | ReadableStream<Uint8Array>
 *   | AsyncIterable<Uint8Array> | Iterable<Uint8Array>} Content
 */

/**
 * One file (`content`), symbolic link (`symlink`, its target), link to what exists already (`cid`
 * with `tsize`), or folder (a `path` that ends in `/`; `'/'` is the root itself).
 *
 * @typedef {{ path?: string, content?: Content, symlink?: string, cid?: string, tsize?: number,
 *   mode?: number, mtime?: { secs: number, nsecs?: number } }} Entry
 */

/**
 * What can be added.
 *
 * @typedef {Blob | ArrayBuffer | ArrayBufferView | ReadableStream<Uint8Array> | FileList
 *   | FileSystemDirectoryHandle | Entry | Iterable<Entry | File> | AsyncIterable<Entry | File>} Source
 */

/**
 * A source, sorted out: what the core pulls, and what is known beforehand.
 */
export class Plan {
  /** Why an entry or its bytes could not be had. The core only knows that it could not. */
  /** @type {unknown} */
  #fault
  /** @type {Set<import('./bytes.js').Bytes>} */
  #open = new Set()
  #entries

  /**
   * @param {AsyncGenerator<CoreEntry, void>} entries
   * @param {object} known
   * @param {boolean} known.directory a directory of the entries, or the one entry itself
   * @param {number} [known.total] bytes of all files
   * @param {string} [known.name] what to call it in the list of pins
   */
  constructor (entries, { directory, total, name }) {
    this.#entries = entries
    this.directory = directory
    this.total = total
    this.name = name
  }

  /**
   * The next entry, `undefined` after the last.
   *
   * @returns {Promise<CoreEntry | undefined>}
   */
  async next () {
    const { done, value } = await this.#watch(this.#entries.next())
    if (done || !value) return undefined
    const { bytes } = value
    if (!bytes) return value
    this.#open.add(bytes)
    return { ...value, bytes: this.#watched(bytes) }
  }

  /**
   * Why adding failed, with which it ends: the source's own error where the source failed.
   *
   * @param {any} error
   */
  async why (error) {
    this.close()
    if (error?.code !== 'NOT_FOUND' || !this.#fault) return error
    if (this.#fault instanceof AvocetError) return this.#fault
    const cause = /** @type {any} */ (this.#fault)
    return new AvocetError('NOT_FOUND', `the entries could not be read: ${cause?.message ?? cause}`, { cause })
  }

  /** No more is wanted: streams and iterators of the caller are told so. */
  close () {
    for (const bytes of this.#open) bytes.close()
    this.#open.clear()
    this.#entries.return(undefined).catch(() => {})
  }

  /**
   * @param {import('./bytes.js').Bytes} bytes
   * @returns {import('./bytes.js').Bytes}
   */
  #watched (bytes) {
    return {
      size: bytes.size,
      next: async (size, least = Infinity) => {
        const chunk = await this.#watch(bytes.next(size, least))
        if (chunk === undefined) this.#open.delete(bytes)
        return chunk
      },
      close: () => bytes.close()
    }
  }

  /**
   * @template T
   * @param {Promise<T>} promise
   * @returns {Promise<T>}
   */
  async #watch (promise) {
    try {
      return await promise
    } catch (fault) {
      this.#fault ??= fault
      throw fault
    }
  }
}

/**
 * Sorts out what `add` was given.
 *
 * @param {any} source
 * @param {{ wrap?: string, hidden?: boolean }} [options]
 * @returns {Plan}
 */
export function plan (source, { wrap, hidden = false } = {}) {
  if (wrap !== undefined) checkName(wrap)
  const found = sort(source, hidden)
  if (wrap === undefined) return new Plan(found.entries, found)
  return new Plan(wrapped(found, wrap), { directory: true, total: found.total, name: wrap })
}

/**
 * @typedef {{ entries: AsyncGenerator<CoreEntry, void>, directory: boolean, total?: number,
 *   name?: string }} Found
 */

/**
 * @param {any} source
 * @param {boolean} hidden
 * @returns {Found}
 */
function sort (source, hidden) {
  if (isContent(source)) {
    // A lone file's name is only what it is called: one that could be no path is no reason to refuse its bytes.
    const name = String(/** @type {any} */ (source).name ?? '')
    return { ...lone({ content: source, path: isName(name) ? name : '' }), name: name || undefined }
  }
  if (source?.kind === 'directory' && typeof source.values === 'function') {
    return { entries: keep(walk(source, hidden), hidden), directory: true, name: source.name }
  }
  if (source && typeof source === 'object' && isIterable(source)) {
    const total = Array.isArray(source) || isFileList(source) ? totalOf([...source], hidden) : undefined
    return { entries: keep(entriesOf(source), hidden), directory: true, total }
  }
  if (source && typeof source === 'object' && isEntry(source)) return lone(source)
  throw new AvocetError('INVALID_OPTION',
    'add takes a Blob, bytes, a stream, a FileList, a directory handle, an entry with a path or content, or an iterable of entries')
}

/**
 * One entry that gives its own CID.
 *
 * @param {any} entry
 * @returns {Found}
 */
function lone (entry) {
  const core = toCore(entry, true)
  const name = core.path.slice(core.path.lastIndexOf('/') + 1) || undefined
  const total = core.bytes ? core.bytes.size : 0
  // A folder gives its own, empty directory.
  if (isFolder(core)) return { entries: only({ ...core, path: '' }), directory: true, total, name }
  return { entries: only(core), directory: false, total, name }
}

/** @param {CoreEntry} entry @returns {AsyncGenerator<CoreEntry, void>} */
async function * only (entry) { yield entry }

/**
 * The same entries inside a folder named `wrap`; a lone file gets that name.
 *
 * @param {Found} found
 * @param {string} wrap
 * @returns {AsyncGenerator<CoreEntry, void>}
 */
async function * wrapped (found, wrap) {
  if (found.directory) yield { path: wrap }
  for await (const entry of found.entries) {
    const within = found.directory && entry.path !== ''
    yield { ...entry, path: within ? `${wrap}/${entry.path}` : wrap }
  }
}

/**
 * @param {Iterable<unknown> | AsyncIterable<unknown>} source
 * @returns {AsyncGenerator<CoreEntry, void>}
 */
async function * entriesOf (source) {
  for await (const item of source) yield toCore(item, false)
}

/**
 * Leaves out what begins with a dot, unless it is wanted.
 *
 * @param {AsyncGenerator<CoreEntry, void>} entries
 * @param {boolean} hidden
 * @returns {AsyncGenerator<CoreEntry, void>}
 */
async function * keep (entries, hidden) {
  for await (const entry of entries) {
    if (hidden || !isHidden(entry.path)) yield entry
    else entry.bytes?.close()
  }
}

/**
 * What a directory of the user's disk holds, at any depth, without recursion.
 *
 * @param {any} root a FileSystemDirectoryHandle
 * @param {boolean} hidden
 * @returns {AsyncGenerator<CoreEntry, void>}
 */
async function * walk (root, hidden) {
  const open = [{ handle: root, prefix: '' }]
  for (let at = open.pop(); at; at = open.pop()) {
    for await (const child of at.handle.values()) {
      if (!hidden && isHidden(child.name)) continue
      const path = `${at.prefix}${child.name}`
      if (child.kind === 'directory') {
        open.push({ handle: child, prefix: `${path}/` })
        yield { path }
      } else {
        yield { path, bytes: ofBlob(await fileOf(child, path), path) }
      }
    }
  }
}

/**
 * @param {any} handle
 * @param {string} path
 * @returns {Promise<File>}
 */
async function fileOf (handle, path) {
  try {
    return await handle.getFile()
  } catch (cause) {
    throw new AvocetError('NOT_FOUND', `"${path}" could not be opened; choose the folder again`, { cause })
  }
}

/**
 * The bytes of all files of a list, where each has a size.
 *
 * @param {any[]} items
 * @param {boolean} hidden
 */
function totalOf (items, hidden) {
  let total = 0
  for (const item of items) {
    const blob = isBlob(item)
    const path = String((blob ? /** @type {any} */ (item).webkitRelativePath || /** @type {any} */ (item).name : item?.path) ?? '')
    if (!hidden && isHidden(path.replace(/^\//, ''))) continue
    const content = blob ? item : item?.content
    const size = content === undefined ? 0 : content?.size ?? content?.byteLength
    if (typeof size !== 'number') return undefined
    total += size
  }
  return total
}

/** @param {string} path */
const isHidden = path => path.startsWith('.') || path.includes('/.')

/** @param {any} value */
const isIterable = value => typeof (value[Symbol.asyncIterator] ?? value[Symbol.iterator]) === 'function'

/** @param {any} value @returns {value is FileList} */
const isFileList = value => typeof value?.item === 'function' && typeof value.length === 'number'
