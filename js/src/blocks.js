import { asBytes } from './bytes.js'
import { FIND, PUT } from './calls.js'
import { read } from './options.js'

/** The codes of the multicodec table. @type {Record<string, number>} */
export const CODECS = { raw: 0x55, 'dag-pb': 0x70, 'dag-cbor': 0x71, 'dag-json': 0x0129 }

/** The same of hash functions. @type {Record<string, number>} */
export const HASHES = { 'sha2-256': 0x12, 'sha2-512': 0x13, 'blake2b-256': 0xb220, blake3: 0x1e, identity: 0x00 }

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
   * Stores a block. It is not pinned, and whether the bytes are of the codec is not looked at.
   *
   * @param {Uint8Array | ArrayBuffer} bytes at most 2 MiB
   * @param {{ codec?: import('./types.js').Codec, hash?: import('./types.js').Hash, signal?: AbortSignal }} [options]
   *   `raw` and `sha2-256` when left out; `identity` takes at most 128 bytes
   * @returns {Promise<{ cid: string }>}
   */
  async put (bytes, options) {
    const { codec = 'raw', hash = 'sha2-256', signal } = read(options, PUT, 'block.put')
    const own = asBytes(bytes, 'block.put').slice()
    return this.#tasks.run(() => this.#node.blockPut(own, CODECS[codec], HASHES[hash]), signal)
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
