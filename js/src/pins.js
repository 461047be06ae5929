import { PIN, SIGNAL } from './calls.js'
import { guarded } from './guard.js'
import { read } from './options.js'
import { readable } from './streams.js'

/** What is kept: gc removes nothing that a pin needs. */
export class Pins {
  #tasks
  // Private, so that the published declarations do not name the core's.
  /** @type {import('../pkg/avocet.js').Node} */
  #node
  #storage

  /**
   * @param {import('./tasks.js').Tasks} tasks
   * @param {any} node of the core
   * @param {import('./storage.js').Storage} storage
   * @internal
   */
  constructor (tasks, node, storage) {
    this.#tasks = tasks
    this.#node = node
    this.#storage = storage
  }

  /**
   * Keeps a CID, with all that it links to unless `recursive` is false. Fetches what is missing.
   *
   * @param {string} cid
   * @param {import('./types.js').PinOptions} [options]
   * @returns {Promise<void>}
   */
  async add (cid, options) {
    const { recursive = true, name, providers = [], onProgress, signal } = read(options, PIN, 'pins.add')
    const progress = guarded(onProgress)
    const told = (/** @type {number} */ loaded, /** @type {number | undefined} */ total) => {
      this.#storage.look()
      progress({ loaded, total })
    }
    try {
      await this.#tasks.run(() => this.#node.pin(String(cid), recursive, name, providers, told), signal)
    } catch (error) {
      this.#storage.failed(error)
      throw error
    }
  }

  /**
   * Lets go of a pin. Its blocks go at the next `gc`.
   *
   * @param {string} cid
   * @param {{ signal?: AbortSignal }} [options]
   * @returns {Promise<void>}
   */
  async rm (cid, options) {
    const { signal } = read(options, SIGNAL, 'pins.rm')
    await this.#tasks.run(() => this.#node.unpin(String(cid)), signal)
  }

  /**
   * @returns {ReadableStream<import('./types.js').Pinned>}
   */
  ls () {
    return readable(this.#tasks, () => this.#node.pins())
  }
}
