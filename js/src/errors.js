/**
 * What a rejection can say.
 *
 * @typedef {'INVALID_CID' | 'INVALID_PATH' | 'INVALID_ADDR' | 'INVALID_OPTION' | 'NOT_FOUND'
 *   | 'NOT_A_FILE' | 'NOT_A_DIRECTORY' | 'CORRUPT' | 'LIMIT' | 'QUOTA' | 'TIMEOUT' | 'OFFLINE'
 *   | 'UNREACHABLE' | 'UNSUPPORTED' | 'STOPPED' | 'STORAGE' | 'INTERNAL'} ErrorCode
 */

/** Why a call failed: a code for programs, a message for people. */
export class AvocetError extends Error {
  /**
   * @param {ErrorCode} code
   * @param {string} message what failed, on which thing, and what to do about it
   * @param {{ cause?: unknown }} [options]
   */
  constructor (code, message, options) {
    super(message, options)
    /** @type {string} */
    this.name = 'AvocetError'
    /** @type {ErrorCode} */
    this.code = code
  }
}

/**
 * What the core threw, as an error of ours.
 *
 * The core rejects with `{ code, message }`. Anything else is a trap in the wasm code or a fault
 * in the glue: both are `INTERNAL`.
 *
 * @param {unknown} thrown
 * @returns {AvocetError}
 */
export function fromCore (thrown) {
  if (thrown instanceof AvocetError) return thrown
  const { code, message } = /** @type {{ code?: unknown, message?: unknown }} */ (thrown ?? {})
  if (!(thrown instanceof Error) && typeof code === 'string') {
    return new AvocetError(/** @type {ErrorCode} */ (code), String(message))
  }
  return new AvocetError('INTERNAL', `the core failed: ${message ?? thrown}`, { cause: thrown })
}

/**
 * Is it a trap of the wasm code, after which nothing in its memory can be relied on?
 *
 * @param {unknown} thrown
 */
export function isTrap (thrown) {
  return typeof WebAssembly === 'object' && thrown instanceof WebAssembly.RuntimeError
}

/**
 * Is it a trap of the wasm from this address? Where the stack names no file the doubt is decided against us.
 *
 * @param {string} url
 * @param {unknown} thrown
 */
export function isTrapOf (url, thrown) {
  if (!isTrap(thrown)) return false
  const name = (/** @type {string} */ text) => text.split(/[?#]/, 1)[0]?.split('/').at(-1)
  const named = String(/** @type {Error} */ (thrown).stack).match(/[^\s()@]+\.wasm\b/g)
  return !named || named.some(file => name(file) === name(url))
}
