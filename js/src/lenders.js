/** @typedef {import('./bytes.js').Bytes} Bytes */

/**
 * How many are asked. The store has at most two batches of blocks under way and one being gathered, each of 16 MiB and a
 * chunk, and no file that lends has less than half a MiB.
 */
const ASKED = 128
/** Milliseconds for their answer: a disk may be far away, or gone. */
const ANSWER = 3000

/**
 * The files that last gave out parts of themselves, which the store takes later. Should it fail, one of these may have
 * changed meanwhile.
 */
export class Lenders {
  /** @type {Set<Bytes>} */
  #last = new Set()

  /** @param {Bytes} bytes */
  add (bytes) {
    if (!bytes.check) return
    this.#last.delete(bytes)
    this.#last.add(bytes)
    const [first] = this.#last
    if (this.#last.size > ASKED && first) this.#last.delete(first)
  }

  /**
   * Why the store failed: what a file says that cannot be read any more, else what the store said.
   *
   * @param {unknown} error
   * @returns {Promise<any>}
   */
  async why (error) {
    const checks = Promise.all([...this.#last].map(bytes => bytes.check?.()))
    const over = new Promise(resolve => setTimeout(resolve, ANSWER))
    return await Promise.race([checks, over]).then(() => error, fault => Object.assign(fault, { cause: error }))
  }
}
