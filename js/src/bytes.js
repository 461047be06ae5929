import { AvocetError } from './errors.js'

/**
 * A chunk that is still to be read: `size` bytes of `window` from `from` on. All that name the same window have the same `id`.
 *
 * @typedef {{ id: number, window: Blob, from: number, size: number }} Unread
 */

/**
 * Where the core pulls the bytes of one file from, in chunks of the size that it wants.
 *
 * Calls of `next` may overlap (the core reads ahead); the parts go out in the order of the calls. Each gives
 * exactly `size` bytes, fewer only at the end, `undefined` after it. What is given out belongs to
 * the core: nobody else can change it any more. Chunks of `least` bytes and more may come unread.
 *
 * @typedef {object} Bytes
 * @property {number | undefined} size of the whole, where it is known
 * @property {(size: number, least?: number) => Promise<Uint8Array | Unread | undefined>} next
 * @property {(reason?: unknown) => void} close no more is wanted
 */

/** Milliseconds of work after which other things on the main thread get their turn. */
const TURN = 10

/**
 * Bytes in memory. Each chunk is copied when its turn comes, as the caller may go on using them.
 *
 * @param {Uint8Array} bytes
 * @returns {Bytes}
 */
export function ofBytes (bytes) {
  const size = bytes.byteLength
  let at = 0
  /** @type {Promise<unknown>} */
  let last = Promise.resolve()
  const turn = turns()
  return {
    size,
    next (length) {
      const from = at
      at = Math.min(at + length, size)
      const to = at
      const next = last.then(turn)
      last = next
      return next.then(async () => {
        if (from === to) return undefined
        const part = bytes.subarray(from, to)
        if (part.length < to - from) throw new AvocetError('NOT_FOUND', 'the bytes became fewer while they were being read')
        return part.slice()
      })
    },
    close () { at = size }
  }
}

/**
 * Parts of any size, one after the other, cut into chunks of the size that is wanted.
 *
 * @param {AsyncIterator<unknown>} parts
 * @param {string} path for messages
 * @returns {Bytes}
 */
export function ofParts (parts, path) {
  /** @type {Uint8Array | undefined} */
  let rest
  let over = false
  /** @type {Promise<unknown>} */
  let last = Promise.resolve()
  const turn = turns()

  /** @param {number} size */
  const take = async size => {
    /** @type {Uint8Array[]} */
    const taken = []
    let length = 0
    while (length < size && !over) {
      rest ??= await part()
      if (!rest) break
      const head = rest.subarray(0, size - length)
      rest = head.length < rest.length ? rest.subarray(head.length) : undefined
      taken.push(head)
      length += head.length
    }
    await turn()
    return length > 0 ? joined(taken, length) : undefined
  }
  const part = async () => {
    const { done, value } = await parts.next().catch(cause => {
      over = true
      throw new AvocetError('NOT_FOUND', `the content of "${path}" could not be read: ${cause?.message ?? cause}`, { cause })
    })
    if (done) { over = true; return undefined }
    return asBytes(value, path)
  }
  return {
    size: undefined,
    next (size) {
      const next = last.then(() => take(size))
      last = next
      next.catch(() => {})
      return next
    },
    close () {
      if (over) return
      over = true
      rest = undefined
      // The source may itself refuse to end: nobody waits for it.
      Promise.resolve(parts.return?.()).catch(() => {})
    }
  }
}

/**
 * A stream as an iterator, also where streams have none of their own.
 *
 * @param {ReadableStream<unknown>} stream
 * @returns {AsyncIterator<unknown>}
 */
export function streamParts (stream) {
  /** @type {ReadableStreamDefaultReader<unknown> | undefined} */
  let reader
  return {
    async next () {
      reader ??= stream.getReader()
      const { done, value } = await reader.read()
      return done ? { done: true, value: undefined } : { done: false, value }
    },
    async return () {
      await (reader ? reader.cancel() : stream.cancel())
      return { done: true, value: undefined }
    }
  }
}

/**
 * @param {unknown} value
 * @param {string} path for messages
 * @returns {Uint8Array}
 */
export function asBytes (value, path) {
  if (value instanceof Uint8Array) return value
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
  if (isBuffer(value)) return new Uint8Array(value)
  throw new AvocetError('INVALID_OPTION', `the content of "${path}" must come as Uint8Array, not as ${typeof value}`)
}

/**
 * @param {unknown} value
 * @returns {value is ArrayBuffer}
 */
export function isBuffer (value) {
  return value instanceof ArrayBuffer || Object.prototype.toString.call(value) === '[object ArrayBuffer]'
}

/**
 * @param {Uint8Array[]} parts
 * @param {number} length of all of them
 */
function joined (parts, length) {
  const whole = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/**
 * Gives the main thread away when the work since the last time took long. Bytes that are in
 * memory already would otherwise be cut and hashed without a pause.
 */
export function turns () {
  let since = performance.now()
  return async () => {
    if (performance.now() - since < TURN) return
    await new Promise(resolve => {
      const { port1, port2 } = new MessageChannel()
      port1.onmessage = () => { port1.close(); resolve(undefined) }
      port2.postMessage(undefined)
    })
    since = performance.now()
  }
}
