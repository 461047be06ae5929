/**
 * @typedef {object} Transfer one or more blocks that went out or came in
 * @property {string} cid the last of them
 * @property {string} [root] what they are part of, where it is known
 * @property {number} bytes
 * @property {string} peer
 */

/** Milliseconds between two events of one kind: at most ten a second. */
const GAP = 100

/**
 * How many peer and root pairs are told apart. Beyond that the bytes are told by peer alone, and
 * the number of connections bounds those.
 */
const PAIRS = 256

/**
 * Thins a flood of transfers to ten events a second without losing a byte: what comes in between
 * is added up, by peer and root, and the one that waited longest is told next.
 */
export class Meter {
  /** @type {Map<string, Transfer>} */
  #waiting = new Map()
  #last = -Infinity
  #planned = false
  #tell
  #now
  #later

  /**
   * @param {(transfer: Transfer) => void} tell
   * @param {{ now?: () => number, later?: (run: () => void, ms: number) => unknown }} [clock]
   */
  constructor (tell, { now = () => performance.now(), later = (run, ms) => setTimeout(run, ms) } = {}) {
    this.#tell = tell
    this.#now = now
    this.#later = later
  }

  /** @param {Transfer} transfer */
  add (transfer) {
    const pair = `${transfer.peer} ${transfer.root ?? ''}`
    const room = this.#waiting.has(pair) || this.#waiting.size < PAIRS
    const key = room ? pair : transfer.peer
    const before = this.#waiting.get(key)
    this.#waiting.set(key, { ...transfer, bytes: transfer.bytes + (before?.bytes ?? 0) })
    this.#next()
  }

  /** Tells no more. */
  clear () {
    this.#waiting.clear()
  }

  #next () {
    if (this.#planned || this.#waiting.size === 0) return
    const wait = this.#last + GAP - this.#now()
    if (wait > 0) {
      this.#planned = true
      this.#later(() => { this.#planned = false; this.#next() }, wait)
      return
    }
    const [key, transfer] = this.#waiting.entries().next().value ?? []
    if (key === undefined || transfer === undefined) return
    this.#waiting.delete(key)
    this.#last = this.#now()
    this.#tell(transfer)
    this.#next()
  }
}
