import { turns } from './bytes.js'
import { AvocetError } from './errors.js'

/** @typedef {import('./bytes.js').Bytes} Bytes */

/**
 * Up to this size slices are read, each with a request of its own; beyond it one stream, for which
 * the browser's main thread waits less.
 */
const SLICED = 4 * 1024 * 1024

/** What is read at once where the core has its chunks read: requests of 8 MiB take two thirds of the time that those of 1 MiB do. */
const WINDOW = 8 * 1024 * 1024

/** How many windows there were, in all blobs. */
let windows = 0

/**
 * A file or blob. The bytes go from the browser's file to the block, never all at once.
 *
 * @param {Blob} blob
 * @param {string} path for messages
 * @returns {Bytes}
 */
export function ofBlob (blob, path) {
  /** @type {Bytes | undefined} */
  let bytes
  let closed = false
  const open = () => {
    const reader = blob.size > SLICED ? filler(blob) : undefined
    return reader ? streamed(blob, reader, path) : sliced(blob, path)
  }
  return {
    size: blob.size,
    async next (size, least = Infinity) {
      if (closed) return undefined
      // The first call decides: the core asks for chunks of one size.
      bytes ??= Math.min(size, blob.size) >= least ? unread(blob, path, least) : open()
      return await bytes.next(size)
    },
    close () {
      closed = true
      bytes?.close()
    }
  }
}

/**
 * A blob whose chunks whoever takes them reads, but for the last one if it is small.
 *
 * @param {Blob} blob
 * @param {string} path for messages
 * @param {number} least bytes of a part that is taken
 * @returns {Bytes}
 */
function unread (blob, path, least) {
  let at = 0
  let window = { id: 0, from: 0, to: 0, blob }
  return {
    size: blob.size,
    async next (size) {
      const from = at
      const to = at = Math.min(at + size, blob.size)
      if (from === to) return undefined
      if (to - from < least) return await sliced(blob.slice(from, to), path).next(size)
      if (from < window.from || to > window.to) {
        const end = Math.min(from + Math.max(size, WINDOW - WINDOW % size), blob.size)
        window = { id: ++windows, from, to: end, blob: blob.slice(from, end) }
      }
      return { id: window.id, window: window.blob, from: from - window.from, size: to - from }
    },
    close () { at = blob.size }
  }
}

/**
 * A reader that fills buffers of ours, which Safari's streams of a blob do not have.
 *
 * @param {Blob} blob
 */
function filler (blob) {
  try {
    return blob.stream().getReader({ mode: 'byob' })
  } catch {
    return undefined
  }
}

/**
 * @param {Blob} blob
 * @param {ReadableStreamBYOBReader} reader
 * @param {string} path
 * @returns {Bytes}
 */
function streamed (blob, reader, path) {
  let left = blob.size
  /** @type {Promise<unknown>} */
  let last = Promise.resolve()
  const turn = turns()
  /** @param {number} size */
  const take = async size => {
    const length = Math.min(size, left)
    left -= length
    await turn()
    let buffer = new ArrayBuffer(length)
    for (let filled = 0; filled < length;) {
      const { done, value } = await reader.read(new Uint8Array(buffer, filled)).catch(cause => { throw changed(path, cause) })
      if (done || !value) throw changed(path)
      filled += value.byteLength
      buffer = value.buffer
    }
    return length > 0 ? new Uint8Array(buffer) : undefined
  }
  return {
    size: blob.size,
    next (size) {
      const next = last.then(() => take(size))
      last = next
      next.catch(() => {})
      return next
    },
    close () { reader.cancel().catch(() => {}) }
  }
}

/**
 * @param {Blob} blob
 * @param {string} path for messages
 * @returns {Bytes}
 */
function sliced (blob, path) {
  const total = blob.size
  let at = 0
  /** @param {number} from @param {number} to */
  const slice = async (from, to) => {
    /** @type {ArrayBuffer} */
    let buffer
    try {
      buffer = await blob.slice(from, to).arrayBuffer()
    } catch (cause) {
      throw changed(path, cause)
    }
    if (buffer.byteLength !== to - from) throw changed(path)
    return new Uint8Array(buffer)
  }
  // Chromium gives a file that is gone the size 0; only reading the whole of it tells.
  const empty = async () => {
    const { byteLength } = await blob.arrayBuffer().catch(cause => { throw changed(path, cause) })
    if (byteLength > 0) throw changed(path)
  }
  return {
    size: total,
    async next (size) {
      const from = at
      at = Math.min(at + size, total)
      if (from < at) return slice(from, at)
      if (total === 0) await empty()
      return undefined
    },
    close () { at = total }
  }
}

/**
 * @param {string} path
 * @param {unknown} [cause]
 */
function changed (path, cause) {
  const message = `"${path}" changed or vanished while it was being read; choose it again`
  return new AvocetError('NOT_FOUND', message, { cause })
}
