/**
 * Bytes that the browser has taken over: their SHA-256, and a blob of the browser's own that has them.
 *
 * @typedef {object} Taken
 * @property {Uint8Array} digest
 * @property {Blob} file
 * @property {number} length in bytes
 */

/**
 * A chunk, or what the browser made of it.
 *
 * @typedef {Uint8Array | Taken} Piece
 */

/**
 * Hashes bytes and makes a blob of them. Both copy them before this returns, so whose they are may change them then, and
 * the browser carries one chunk to its own process while the next is hashed.
 *
 * @param {Uint8Array} bytes
 * @param {Blob} [lent] what has these bytes already
 * @returns {Promise<Piece> | undefined} the bytes, where they could not be hashed; nothing where the browser makes no blob of such bytes (of shared memory, say)
 */
export function taken (bytes, lent) {
  if (!crypto.subtle || !(bytes.buffer instanceof ArrayBuffer)) return undefined
  const { length } = bytes
  /** @type {Blob} */
  let file
  try {
    file = lent ?? new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (bytes)])
    if (!lent) weigh(file)
  } catch {
    return undefined
  }
  const digest = crypto.subtle.digest('SHA-256', /** @type {Uint8Array<ArrayBuffer>} */ (bytes))
  return digest.then(
    digest => ({ digest: new Uint8Array(digest), file, length }),
    // The caller may have changed its own by now, but not a file that it lent. Whoever gets bytes hashes them.
    async () => lent ? bytes.slice() : new Uint8Array(await file.arrayBuffer())
  )
}

/**
 * Has the browser count a blob's bytes as the page's own. It does not by itself: blobs that nobody has any more would
 * stay until its process has no room for new ones. A buffer of that size, never touched, is collected with the blob.
 *
 * @param {Blob} file
 */
function weigh (file) {
  Object.assign(file, { weight: new ArrayBuffer(file.size) })
}
