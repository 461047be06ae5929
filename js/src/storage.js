/** The share of the quota from which the storage counts as low. */
const LOW = 0.9

/** Milliseconds between two looks: `estimate` is not free, and blocks come by the hundred. */
const GAP = 30_000

/** What is stored, and what the browser grants. */
export class Storage {
  #used
  #tellLow
  #lastLook = -Infinity

  /**
   * @param {() => Promise<{ used: number, blocks: number }>} used what the store holds
   * @param {(usage: import('./types.js').Usage) => void} tellLow
   */
  constructor (used, tellLow) {
    this.#used = used
    this.#tellLow = tellLow
  }

  /** @returns {Promise<import('./types.js').Usage>} */
  async usage () {
    const [{ used, blocks }, { quota }, persisted] = await Promise.all([this.#used(), estimate(), isPersisted()])
    return { used, quota, blocks, persisted }
  }

  /**
   * Something failed: when it was for want of room, that is said at once.
   *
   * @param {any} error
   */
  async failed (error) {
    if (error?.code !== 'QUOTA') return
    await this.usage().then(this.#tellLow, () => {})
  }

  /** @returns {Promise<boolean>} */
  async persist () {
    try { return await manager()?.persist?.() ?? false } catch { return false }
  }

  /** Something was stored: says so when the room gets tight, and never fails. */
  async look () {
    const now = performance.now()
    if (now - this.#lastLook < GAP) return
    this.#lastLook = now
    try {
      const { usage = 0, quota = Infinity } = await estimate()
      if (usage > quota * LOW) this.#tellLow(await this.usage())
    } catch {
      // The peer stopped meanwhile, or the browser does not tell.
    }
  }
}

/** Absent on a plain http page; there and in a sandboxed frame its calls may reject, which says no more than that. */
const manager = () => globalThis.navigator?.storage

/** @returns {Promise<StorageEstimate>} */
const estimate = async () => {
  try { return await manager()?.estimate?.() ?? {} } catch { return {} }
}

const isPersisted = async () => {
  try { return await manager()?.persisted?.() ?? false } catch { return false }
}
