import { CODECS, HASHES } from './blocks.js'
import { DAG_PUT, FIND } from './calls.js'
import { read } from './options.js'

/**
 * Data in blocks, as JavaScript has it.
 *
 * A link is `{ '/': '<cid>' }`, bytes are `Uint8Array`. Integers beyond 2^53 are `BigInt` in both
 * directions, so that no digit is lost. Other numbers that are put become integers when they are
 * safe ones (-0 becomes 0), and floats otherwise; a float without a fraction, as others may have
 * put it, comes back as a number like any other.
 */
export class Dag {
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
   * What a path leads to, through links, keys of maps, indices of lists and names in directories: a
   * value, or a part of one. Of a file or directory it is the node, `{ Data, Links }`; of a raw
   * block its bytes.
   *
   * @param {string} path
   * @param {import('./types.js').FindOptions} [options]
   * @returns {Promise<import('./types.js').DagValue>}
   */
  async get (path, options) {
    const { providers = [], signal } = read(options, FIND, 'dag.get')
    return this.#tasks.run(() => this.#node.dagGet(String(path), providers), signal)
  }

  /**
   * Stores a value as a block. With `pin`, it and all that it links to is fetched and kept.
   *
   * @param {import('./types.js').DagValue} value at most 2 MiB when encoded; the codec `dag-pb`
   *   takes `{ Data?, Links: [{ Hash, Name?, Tsize? }] }`, and `raw` takes bytes
   * @param {{ codec?: import('./types.js').Codec, hash?: import('./types.js').Hash, pin?: boolean,
   *   signal?: AbortSignal }} [options] `dag-cbor` and `sha2-256`, not pinned, when left out
   * @returns {Promise<{ cid: string }>}
   */
  async put (value, options) {
    const { codec = 'dag-cbor', hash = 'sha2-256', pin = false, signal } = read(options, DAG_PUT, 'dag.put')
    return this.#tasks.run(() => this.#node.dagPut(value, CODECS[codec], HASHES[hash], pin), signal)
  }
}
