import { CAR_IN, CAR_OUT } from './calls.js'
import { toBytes } from './entry.js'
import { AvocetError } from './errors.js'
import { guarded } from './guard.js'
import { read } from './options.js'
import { readable } from './streams.js'

/** Archives of blocks: CAR files. */
export class Archives {
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
   * Stores the blocks of an archive, version 1 or 2, each verified, and pins its roots. When it
   * fails nothing is pinned; the message says where, and how many blocks before that are here.
   *
   * @param {import('./source.js').Content} source
   * @param {import('./types.js').CarImportOptions} [options]
   * @returns {Promise<import('./types.js').CarImportResult>}
   */
  async import (source, options) {
    const { pin = true, name = titleOf(source), onProgress, signal } = read(options, CAR_IN, 'car.import')
    const bytes = new Watched(toBytes(source, name ?? 'archive.car'))
    const progress = guarded(onProgress)
    const total = bytes.size
    const told = (/** @type {number} */ loaded) => {
      this.#storage.look()
      progress({ loaded, total })
    }
    try {
      return await this.#tasks.run(() => this.#node.carImport(bytes, total, pin, name, told), signal)
    } catch (error) {
      this.#storage.failed(error)
      throw bytes.why(error)
    } finally {
      bytes.close()
    }
  }

  /**
   * An archive, version 1, of what a CID stands for, depth first, pulled as it is read. What is not
   * here is fetched.
   *
   * @param {string} cid or a path
   * @param {import('./types.js').CarExportOptions} [options]
   * @returns {ReadableStream<Uint8Array>}
   */
  export (cid, options) {
    const { path = '', scope = 'all', entityBytes, dups = false, providers = [], signal } = read(options, CAR_OUT, 'car.export')
    const [from, to] = entityBytes ?? []
    // behind a URL a path is one too: each of its names is written as URLs have them
    const isUrl = /^ip[fn]s:/i.test(String(cid))
    const below = path.replace(/^\//, '').split('/').map(name => isUrl ? encodeURIComponent(name) : name).join('/')
    const place = below === '' ? String(cid) : `${String(cid).replace(/\/$/, '')}/${below}`
    return readable(this.#tasks, () => this.#node.carExport(place, { scope, dups, from, to }, providers), signal)
  }
}

/**
 * What a file's name says of what is in it.
 *
 * @param {any} source
 * @returns {string | undefined}
 */
function titleOf (source) {
  const name = source?.name
  return typeof name === 'string' ? name.replace(/\.car$/i, '') || undefined : undefined
}

/** Bytes whose own error is remembered: the core only knows that there was one. */
class Watched {
  #bytes
  /** @type {unknown} */
  #fault

  /** @param {import('./bytes.js').Bytes} bytes */
  constructor (bytes) {
    this.#bytes = bytes
    this.size = bytes.size
  }

  /** @param {number} size */
  async next (size) {
    try {
      return await this.#bytes.next(size)
    } catch (fault) {
      this.#fault ??= fault
      throw fault
    }
  }

  close () { this.#bytes.close() }

  /**
   * Why importing failed: the source's own error where the source failed.
   *
   * @param {any} error
   */
  why (error) {
    const fault = /** @type {any} */ (this.#fault)
    if (error?.code !== 'NOT_FOUND' || !fault) return error
    return fault instanceof AvocetError ? fault : new AvocetError('NOT_FOUND', `the archive could not be read: ${fault?.message ?? fault}`, { cause: fault })
  }
}
