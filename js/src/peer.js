import { Archives } from './archives.js'
import { Blocks } from './blocks.js'
import { ADD, CAT, FIND, SIGNAL, START } from './calls.js'
import { Dag } from './dag.js'
import { AvocetError } from './errors.js'
import { guarded } from './guard.js'
import { Meter } from './meter.js'
import { read } from './options.js'
import { onPage } from './page.js'
import { Pins } from './pins.js'
import { plan } from './source.js'
import { Storage } from './storage.js'
import { readable } from './streams.js'
import { Tasks, unlessAborted } from './tasks.js'
import { die, load, mourn } from './wasm.js'

/** @typedef {import('./types.js').PeerInfo} PeerInfo */

/**
 * Starts a peer. Without relays and bootstrap peers it works offline.
 *
 * @param {import('./types.js').PeerOptions} [options]
 * @returns {Promise<Peer>}
 */
export async function createPeer (options) {
  const { wasmUrl, signal, store = 'avocet', relays = [], bootstrap = [], iceServers = [] } = read(options, START, 'createPeer')
  signal?.throwIfAborted()
  const core = await unlessAborted(load(wasmUrl), signal)
  /** @type {(name: string, detail: any) => void} */
  let hear = () => {}
  const node = await new Tasks(die).run(() => core.Node.start({ store, relays, bootstrap, iceServers },
    (/** @type {string} */ name, /** @type {any} */ detail) => hear(name, detail)), signal)
  return new Peer(node, listener => { hear = listener })
}

/** A peer of the IPFS network, in this page. Made by `createPeer`. */
export class Peer extends EventTarget {
  // Private, so that the published declarations do not name the core's.
  /** @type {import('../pkg/avocet.js').Node} */
  #node
  #id
  #storage
  #meters
  #ends
  /** @type {Promise<void> | undefined} */
  #stopping
  #tasks = new Tasks(die)

  /**
   * @param {any} node of the core
   * @param {(listener: (name: string, detail: any) => void) => void} listen
   * @internal
   */
  constructor (node, listen) {
    super()
    this.#node = node
    this.#id = node.id
    this.#storage = new Storage(() => this.#tasks.run(() => this.#node.usage()), usage => this.#fire('storage:low', usage))
    this.#meters = new Map(['sent', 'received'].map(name => [name, new Meter(transfer => this.#fire(name, transfer))]))
    this.#ends = [onPage(() => this.#node.closeNow(), () => this.#node.resume()), mourn(error => this.#died(error))]
    /** What is kept. */
    this.pins = new Pins(this.#tasks, node, this.#storage)
    /** Single blocks. */
    this.block = new Blocks(this.#tasks, node)
    /** Data in blocks. */
    this.dag = new Dag(this.#tasks, node)
    /** Archives of blocks. */
    this.car = new Archives(this.#tasks, node, this.#storage)
    listen((name, detail) => this.#hear(name, detail))
  }

  /** The peer id. The same store gives the same one after a reload. */
  get id () { return this.#id }

  /**
   * Multiaddrs that others can dial.
   *
   * @returns {string[]}
   */
  addrs () { return this.#tasks.closed ? [] : this.#node.addrs() }

  /**
   * Adds files and folders. Resolves when they are safely in the store.
   *
   * @param {import('./source.js').Source} source
   * @param {import('./types.js').AddOptions} [options]
   * @returns {Promise<import('./types.js').AddResult>}
   */
  async add (source, options) {
    const { signal, onProgress, wrap, hidden, pin = true, ...how } = read(options, ADD, 'add')
    const entries = plan(source, { wrap, hidden })
    const { directory, name, total } = entries
    const progress = guarded(onProgress)
    const told = (/** @type {number} */ loaded, /** @type {string} */ path) => progress({ loaded, total, path })
    const config = { directory, name, pin, ...how }
    try {
      return await this.#tasks.run(() => this.#node.add(entries, config, told), signal)
    } catch (error) {
      this.#storage.failed(error)
      throw await entries.why(error)
    } finally {
      entries.close()
      this.#storage.look()
    }
  }

  /**
   * The bytes of a file, pulled as they are read.
   *
   * @param {string} path `<cid>`, `<cid>/a/b`, `/ipfs/…` or `ipfs://…`
   * @param {import('./types.js').CatOptions} [options]
   * @returns {ReadableStream<Uint8Array>}
   */
  cat (path, options) {
    const { offset = 0, length, providers = [], onProgress, signal } = read(options, CAT, 'cat')
    const progress = guarded(onProgress)
    let loaded = 0
    return readable(this.#tasks, () => this.#node.cat(String(path), offset, length, providers), signal,
      (/** @type {Uint8Array} */ chunk, pull) => {
        loaded += chunk.length
        progress({ loaded, total: pull.total })
      })
  }

  /**
   * What a directory holds.
   *
   * @param {string} path
   * @param {import('./types.js').FindOptions} [options]
   * @returns {ReadableStream<import('./types.js').Listed>}
   */
  ls (path, options) {
    const { providers = [], signal } = read(options, FIND, 'ls')
    return readable(this.#tasks, () => this.#node.ls(String(path), providers), signal)
  }

  /**
   * What a path leads to, and how much of it is here.
   *
   * @param {string} path
   * @param {import('./types.js').FindOptions} [options]
   * @returns {Promise<import('./types.js').Stat>}
   */
  async stat (path, options) {
    const { providers = [], signal } = read(options, FIND, 'stat')
    return this.#tasks.run(() => this.#node.stat(String(path), providers), signal)
  }

  /**
   * Removes every block that nothing pinned needs.
   *
   * @returns {Promise<{ blocks: number, bytes: number }>} what was freed
   */
  async gc () { return this.#tasks.run(() => this.#node.gc()) }

  /**
   * What the store holds, and what the browser grants.
   *
   * @returns {Promise<import('./types.js').Usage>}
   */
  async usage () { return this.#storage.usage() }

  /**
   * Asks the browser to keep the storage of this origin.
   *
   * @returns {Promise<boolean>} did it agree?
   */
  async persist () {
    if (this.#tasks.closed) throw this.#tasks.closed
    return this.#storage.persist()
  }

  /**
   * Connects to a peer. Resolves when the best connection that the address allows is up.
   *
   * The address is a server's (`/dns4/…/tcp/443/wss/p2p/…`, `/ip4/…/udp/…/webrtc-direct/certhash/…/p2p/…`) or a
   * browser's by way of a relay (`<relay>/p2p-circuit/webrtc/p2p/…`).
   *
   * @param {string} addr
   * @param {{ signal?: AbortSignal }} [options]
   * @returns {Promise<PeerInfo>}
   */
  async connect (addr, options) {
    const { signal } = read(options, SIGNAL, 'connect')
    return this.#tasks.run(() => this.#node.connect(String(addr)), signal)
  }

  /**
   * Closes every connection to a peer.
   *
   * @param {string} id
   * @returns {Promise<void>}
   */
  async disconnect (id) { return this.#tasks.run(() => this.#node.disconnect(String(id))) }

  /**
   * The peers that are connected.
   *
   * @returns {PeerInfo[]}
   */
  peers () { return this.#tasks.closed ? [] : this.#node.peers() }

  /**
   * Who has a CID, as the network tells.
   *
   * @param {string} cid
   * @param {{ signal?: AbortSignal }} [options]
   * @returns {ReadableStream<{ id: string, addrs: string[] }>}
   */
  providers (cid, options) {
    const { signal } = read(options, SIGNAL, 'providers')
    return readable(this.#tasks, () => this.#node.providers(String(cid)), signal)
  }

  /**
   * Tells the network that we have a CID.
   *
   * @param {string} cid
   * @param {{ signal?: AbortSignal }} [options]
   * @returns {Promise<number>} how many peers were told
   */
  async provide (cid, options) {
    const { signal } = read(options, SIGNAL, 'provide')
    return this.#tasks.run(() => this.#node.provide(String(cid)), signal)
  }

  /**
   * How many connected peers said in the last minute that they have a CID.
   *
   * @param {string} cid
   * @returns {Promise<number>}
   */
  async holders (cid) { return this.#tasks.run(() => this.#node.holders(String(cid))) }

  /**
   * Counters since the start.
   *
   * @returns {Record<string, number>}
   */
  stats () {
    if (this.#tasks.closed) throw this.#tasks.closed
    return this.#node.stats()
  }

  /**
   * Ends everything. Later calls reject with `STOPPED`.
   *
   * @returns {Promise<void>}
   */
  stop () {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop () {
    if (this.#tasks.closed) return
    this.#leave()
    const ending = this.#node.stop()
    this.#tasks.close(new AvocetError('STOPPED', 'the peer was stopped; make a new one with createPeer'))
    await ending.promise
  }

  /** The core died under us: nothing of it can be called any more. @param {AvocetError} error */
  #died (error) { this.#ended(error, false) }

  /** Another tab has this one's identity by now, and the core has stopped: two must never be the same peer. */
  #replaced () {
    this.#ended(new AvocetError('STOPPED', 'another tab took this peer\'s place while this one slept; make a new peer with createPeer'), true)
  }

  /** @param {AvocetError} error @param {boolean} alive whether the core can still be told */
  #ended (error, alive) {
    this.#leave()
    this.#tasks.close(error, alive)
    this.#fire('offline', undefined)
    this.#fire('error', error)
  }

  #leave () {
    for (const end of this.#ends) end()
    for (const meter of this.#meters.values()) meter.clear()
  }

  /** @param {string} name @param {any} detail */
  #hear (name, detail) {
    if (this.#tasks.closed) return
    if (name === 'replaced') return this.#replaced()
    const meter = this.#meters.get(name)
    if (name === 'received') this.#storage.look()
    if (meter) meter.add(detail)
    else this.#fire(name, detail)
  }

  /** @param {string} name @param {any} detail */
  #fire (name, detail) { this.dispatchEvent(new CustomEvent(name, { detail })) }
}

if (Symbol.asyncDispose) {
  Object.defineProperty(Peer.prototype, Symbol.asyncDispose, { value: Peer.prototype.stop, configurable: true, writable: true })
}
