import { turns } from './bytes.js'
import { AvocetError } from './errors.js'
import { taken } from './taken.js'

/** @typedef {import('./bytes.js').Bytes} Bytes */

/**
 * Up to this size slices are read, each with a request of its own; beyond it one stream, for which
 * the browser's main thread waits less.
 */
const SLICED = 4 * 1024 * 1024

/** What is read at once of a file whose parts the store takes as they are: four chunks of 1 MiB in one request. */
const WINDOW = 4 * 1024 * 1024

/** Milliseconds without a change after which any later one has another time: some file systems count two seconds. */
const SETTLED = 2000

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
      bytes ??= Math.min(size, blob.size) >= least && isSettled(blob) ? lent(blob, path, least) : open()
      return await bytes.next(size)
    },
    close () {
      closed = true
      bytes?.close()
    },
    async check () { await bytes?.check?.() }
  }
}

/**
 * Whether a blob is a file that gets another time when it changes, at which the browser refuses to read it. Of one that
 * changed just now that is not sure: other bytes might be stored than were hashed. (Whoever rewrites a file in this very
 * moment and gives it its old time back is not noticed here, but by whoever reads the block, as any damage is.)
 *
 * @param {Blob} blob
 * @returns {blob is File}
 */
function isSettled (blob) {
  return typeof File === 'function' && blob instanceof File && Date.now() - blob.lastModified >= SETTLED
}

/**
 * A file whose chunks are only read to be hashed: what the store is given are parts of the file itself, which the
 * browser copies without the page. Should it have changed by then the browser refuses to, and `check` says so.
 *
 * @param {File} file
 * @param {string} path for messages
 * @param {number} least bytes of a part that the store takes
 * @returns {Bytes}
 */
function lent (file, path, least) {
  const none = { from: 0, to: 0, bytes: Promise.resolve(new ArrayBuffer(0)) }
  let at = 0
  let window = none
  /** @param {number} from @param {number} to */
  const read = async (from, to) => {
    const buffer = await file.slice(from, to).arrayBuffer().catch(cause => { throw changed(path, cause) })
    if (buffer.byteLength !== to - from) throw changed(path)
    return buffer
  }
  return {
    size: file.size,
    async next (size) {
      const from = at
      const to = at = Math.min(at + size, file.size)
      if (from === to) {
        window = none
        return undefined
      }
      if (from < window.from || to > window.to) {
        const end = Math.min(from + Math.max(size, WINDOW - WINDOW % size), file.size)
        window = { from, to: end, bytes: read(from, end) }
      }
      const { from: begin, bytes } = window
      const part = new Uint8Array(await bytes, from - begin, to - from)
      return (part.length >= least && taken(part, file.slice(from, to))) || part.slice()
    },
    close () {
      at = file.size
      window = none
    },
    async check () { await read(0, 1) }
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
