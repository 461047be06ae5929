import { asBytes } from './bytes.js'
import { FIND, PUT } from './calls.js'
import { read } from './options.js'

/** The codes of the multicodec table. @type {Record<string, number>} */
const CODECS = { raw: 0x55, 'dag-pb': 0x70, 'dag-cbor': 0x71, 'dag-json': 0x0129 }

/** Single blocks. */
export class Blocks {
  #tasks
  // Private, so that the published declarations do not name the core's.
  /** @type {import('../pkg/avocet.js').Node} */
  #node

  /**
   * @param {import('./tasks.js').Tasks} tasks
   * @param {any} node of the core
   * @internal
   */
  constructor (tasks, node) {
    this.#tasks = tasks
    this.#node = node
  }

  /**
   * The bytes of a block, from here or from the network, verified.
   *
   * @param {string} cid
   * @param {import('./types.js').FindOptions} [options]
   * @returns {Promise<Uint8Array>}
   */
  async get (cid, options) {
    const { providers = [], signal } = read(options, FIND, 'block.get')
    return this.#tasks.run(() => this.#node.blockGet(String(cid), providers), signal)
  }

  /**
   * Stores a block. It is not pinned.
   *
   * @param {Uint8Array | ArrayBuffer} bytes at most 2 MiB
   * @param {{ codec?: 'raw' | 'dag-pb' | 'dag-cbor' | 'dag-json', hash?: 'sha2-256', signal?: AbortSignal }} [options]
   * @returns {Promise<{ cid: string }>}
   */
  async put (bytes, options) {
    const { codec = 'raw', signal } = read(options, PUT, 'block.put')
    const own = asBytes(bytes, 'block.put').slice()
    return this.#tasks.run(() => this.#node.blockPut(own, CODECS[codec]), signal)
  }

  /**
   * Is it here?
   *
   * @param {string} cid
   * @returns {Promise<boolean>}
   */
  async has (cid) { return this.#tasks.run(() => this.#node.blockHas(String(cid))) }

  /**
   * Removes a block from here. A pinned one is refused.
   *
   * @param {string} cid
   * @returns {Promise<boolean>} was it here?
   */
  async rm (cid) { return this.#tasks.run(() => this.#node.blockRm(String(cid))) }
}
