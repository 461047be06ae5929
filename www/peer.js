// The peer of this page: loads the package, starts it with the network options of this page, starts it anew when it broke.
// The page is in use before any of that is done; whoever needs the peer waits for `ready()`.

import { codeOf, messageOf } from './errors.js';
import { Model } from './events.js';
import { hasIndexedDb, hasWebRtc } from './platform.js';

/** @typedef {import('../js/index.js').Peer} Peer */

/** Events of the peer that the page listens to; they are passed on, so that nobody has to listen anew after a restart. */
const EVENTS = ['online', 'offline', 'peer:connect', 'peer:disconnect', 'addrs', 'sent', 'received', 'looking', 'storage:low'];

/** Those that come many times a second, and say nothing about the peer itself. */
const FREQUENT = new Set(['sent', 'received', 'looking']);

/** The options of `avocet.json` that reach `createPeer`; all of them lists. */
const OPTIONS = ['relays', 'bootstrap', 'routers', 'gateways', 'iceServers'];

/** A peer that does not stop within this many milliseconds is left behind. */
const STOP_MS = 3_000;

export class PeerHost extends Model {
  /** @type {Peer | undefined} */
  peer = undefined;
  /** @type {'loading' | 'ready' | 'failed'} */
  state = 'loading';
  /** @type {unknown} why the state is `failed` */
  error = undefined;
  /** Whether the page came with network options. */
  hasNetwork = true;
  /** Whether what is added is lost when the page closes. */
  inMemory = false;
  /** Whether a relay has been reserved. */
  online = false;
  /** Whether one ever was: what is missing now is then lost, not yet to come. */
  wasOnline = false;

  #ready = gate();

  /** Loads and starts; never rejects, see `state`. */
  async start() {
    this.#set('loading');
    try {
      const [{ createPeer }, network, keeps] = await Promise.all([loadPackage(), hasWebRtc ? networkOptions() : undefined, hasIndexedDb()]);
      this.hasNetwork = network !== undefined;
      this.inMemory = !keeps;
      const peer = await createPeer({ ...network, ...(keeps ? {} : { store: 'memory' }) });
      this.#adopt(peer);
      this.#set('ready');
      this.#ready.open(peer);
    } catch (error) {
      // What cannot be reached at the start is the wasm file.
      this.fail(codeOf(error) === 'UNREACHABLE' ? Object.assign(new Error(messageOf(error)), { code: 'NOT_LOADED' }) : error);
    }
  }

  /** Takes the place of a peer that broke. */
  async restart() {
    const broken = this.peer;
    this.peer = undefined;
    this.online = this.wasOnline = false;
    // One that was never opened still has people waiting at it.
    if (broken) this.#ready = gate();
    this.#set('loading');
    await stopped(broken);
    await this.start();
    // A trap spoils the loaded wasm module for good; only a reload has a fresh one.
    if (this.state === 'failed' && codeOf(this.error) === 'INTERNAL') location.reload();
  }

  /**
   * The running peer, as soon as there is one.
   * @param {AbortSignal} [signal]
   * @returns {Promise<Peer>}
   */
  ready(signal) {
    signal?.throwIfAborted();
    if (!signal) return this.#ready.promise;
    const aborted = new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
    return Promise.race([this.#ready.promise, aborted]);
  }

  /**
   * To be told of every failure: one that leaves the peer useless makes the page offer a restart.
   * @param {unknown} error
   */
  noticed(error) {
    if (this.state === 'ready' && codeOf(error) === 'INTERNAL') this.fail(error);
  }

  /** @param {unknown} error */
  fail(error) {
    console.error(error);
    this.error = error;
    this.#set('failed');
  }

  #set(/** @type {PeerHost['state']} */ state) {
    this.state = state;
    this.changed();
  }

  #adopt(/** @type {Peer} */ peer) {
    this.peer = peer;
    this.online = this.wasOnline = peer.addrs().length > 0;
    peer.addEventListener('error', (event) => {
      if (this.peer === peer) this.fail(/** @type {CustomEvent} */ (event).detail);
    });
    for (const type of EVENTS) {
      peer.addEventListener(type, (event) => {
        if (this.peer !== peer) return;
        if (type === 'online' || type === 'offline') this.online = type === 'online';
        this.wasOnline ||= this.online;
        this.dispatchEvent(new CustomEvent(type, { detail: /** @type {CustomEvent} */ (event).detail }));
        if (!FREQUENT.has(type)) this.changed();
      });
    }
  }
}

/** The package and its wasm are a chunk of their own. */
function loadPackage() {
  return import(/* webpackChunkName: "peer" */ '../js/index.js');
}

/**
 * The network options that the relay serves next to the page; `undefined` where there are none.
 * @returns {Promise<Record<string, any> | undefined>}
 */
async function networkOptions() {
  try {
    const response = await fetch(new URL('avocet.json', document.baseURI), { cache: 'no-cache' });
    if (!response.ok) return undefined;
    const given = await response.json();
    return Object.fromEntries(OPTIONS.filter((name) => Array.isArray(given?.[name])).map((name) => [name, given[name]]));
  } catch {
    return undefined;
  }
}

async function stopped(/** @type {Peer | undefined} */ peer) {
  const late = new Promise((resolve) => setTimeout(resolve, STOP_MS));
  try {
    await Promise.race([peer?.stop(), late]);
  } catch {
    // It is being replaced because it is broken.
  }
}

/** A promise that is settled from outside. */
function gate() {
  /** @type {(peer: Peer) => void} */
  let open = () => {};
  /** @type {Promise<Peer>} */
  const promise = new Promise((resolve) => (open = resolve));
  return { promise, open };
}
