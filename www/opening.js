// Opening: from a link to verified bytes on this device. One thing is open at a time. Whoever has it may come and go:
// looking goes on, and goes on where it stopped, until it is cancelled.

import { doing } from './doing.js';
import { codeOf, isAbort } from './errors.js';
import { Model } from './events.js';
import { parseLink } from './link.js';
import { shownName, shortId } from './names.js';
import { despiteHints, insist } from './patience.js';
import { Rate, percent } from './progress.js';
import { checkRoom } from './room.js';
import { open as words } from './strings.js';

/** Folders up to this size are fetched and kept whole when they are opened; larger ones when somebody says so. */
const KEEP_BYTES = 256_000_000;

/** Entries held of one folder. It bounds the memory of the page; a larger folder is still saved whole. */
export const MAX_ENTRIES = 20_000;

/** How often it is looked at what is to be said, in milliseconds. */
const SAY_MS = 2_000;

/**
 * @typedef {import('./link.js').Link} Link
 * @typedef {{ name: string, cid: string, size: number, type: string }} Entry
 * @typedef {'idle' | 'starting' | 'looking' | 'waiting' | 'listing' | 'fetching' | 'ready' | 'failed' | 'cancelled'} State
 */

export class Opening extends Model {
  /** @type {State} */
  state = 'idle';
  /** @type {Link | undefined} */
  link = undefined;
  /** @type {string} what the field holds; an error about it has no link */
  text = '';
  /** @type {{ cid: string, type: string, size: number, localSize: number } | undefined} */
  stat = undefined;
  /** @type {Entry[]} of a folder */
  entries = [];
  tooMany = false;
  /** Whether all of it is pinned on this device. */
  kept = false;
  loaded = 0;
  total = 0;
  rate = new Rate();
  /** When anything last moved, by `performance.now()`. */
  moved = 0;
  /** When the search began, by `performance.now()`. */
  began = 0;
  /** @type {import('./doing.js').Search | undefined} */
  search = undefined;
  /** @type {Set<string>} peers that were connected while it was looked for */
  asked = new Set();
  /** @type {unknown} */
  error = undefined;

  #host;
  #announcer;
  #controller = new AbortController();

  /**
   * @param {import('./peer.js').PeerHost} host
   * @param {import('./announcer.js').Announcer} announcer
   */
  constructor(host, announcer) {
    super();
    this.#host = host;
    this.#announcer = announcer;
    host.addEventListener('removed', (event) => this.#removed(/** @type {CustomEvent} */ (event).detail));
    host.addEventListener('looking', (event) => this.#looking(/** @type {CustomEvent} */ (event).detail));
    // Time alone changes what is to be said: a transfer stalls, peers are asked.
    setInterval(() => this.#say(), SAY_MS);
  }

  get name() {
    const { link } = this;
    return link ? (link.path.at(-1) ?? link.name ?? shortId(link.cid, 10, 6)) : '';
  }

  get isFolder() {
    return this.stat?.type === 'directory';
  }

  get busy() {
    return ['starting', 'looking', 'waiting', 'listing', 'fetching'].includes(this.state);
  }

  /** What is happening, in words; '' where figures say it. */
  get doing() {
    const now = performance.now();
    const { peer } = this.#host;
    return doing({
      state: this.state,
      running: peer !== undefined,
      online: navigator.onLine,
      loaded: this.loaded,
      peers: peer?.peers().length ?? 0,
      asked: this.asked.size,
      named: (this.link?.from.length ?? 0) > 0,
      search: this.search,
      searchedMs: now - this.began,
      quietMs: now - this.moved,
    });
  }

  /** Where it lies, as the package takes it. */
  get path() {
    return this.link ? `/ipfs/${[this.link.cid, ...this.link.path].join('/')}` : '';
  }

  /**
   * Opens what a person typed or a link says; whatever was open before is left.
   * @param {string} text
   */
  open(text) {
    this.#controller.abort();
    this.#controller = new AbortController();
    this.#announcer.clear('open');
    Object.assign(this, { text, link: undefined, stat: undefined, entries: [], tooMany: false, kept: false, loaded: 0, total: 0, error: undefined });
    this.rate = new Rate();
    this.asked = new Set();
    this.search = undefined;
    this.began = this.moved = performance.now();
    this.#set('starting');
    this.#run(this.#controller.signal);
  }

  again() {
    this.open(this.text);
  }

  cancel() {
    this.#controller.abort();
  }

  /** Leaves what is open; what is here stays here. */
  close() {
    this.#controller.abort();
    this.#announcer.clear('open');
    Object.assign(this, { link: undefined, stat: undefined, entries: [], error: undefined, text: '' });
    this.#set('idle');
  }

  /** Fetches and keeps the whole folder that is shown. */
  keepAll() {
    this.#guard(this.#controller.signal, (signal) => this.#keep(signal));
  }

  #run(/** @type {AbortSignal} */ signal) {
    this.#guard(signal, async () => {
      this.link = parseLink(this.text);
      this.changed();
      await this.#host.ready(signal);
      this.stat = await this.#find(signal);
      this.total = this.stat.size;
      if (!['file', 'raw', 'directory'].includes(this.stat.type)) {
        throw Object.assign(new Error(words.notAFile), { code: 'UNSUPPORTED' });
      }
      if (this.isFolder) await this.#list(signal);
      if (!this.isFolder || this.total <= KEEP_BYTES) await this.#keep(signal);
      else this.#done();
    });
  }

  /** Runs `work`; whatever ends it early becomes a state that is shown. */
  async #guard(/** @type {AbortSignal} */ signal, /** @type {(signal: AbortSignal) => Promise<void>} */ work) {
    try {
      await work(signal);
    } catch (error) {
      // Something else may have been opened meanwhile.
      if (this.#controller.signal !== signal || this.state === 'idle') return;
      if (isAbort(error)) {
        this.#set('cancelled');
        this.#announcer.tell('open', words.cancelled);
        return;
      }
      this.error = error;
      this.#set('failed');
      this.#announcer.clear('open');
      this.#host.noticed(error);
    }
  }

  /** What the link leads to. A path is followed only below a root that was found: a wrong name then is a wrong name. */
  async #find(/** @type {AbortSignal} */ signal) {
    const { cid, path } = /** @type {Link} */ (this.link);
    const root = await this.#insist(signal, (peer) => peer.stat(`/ipfs/${cid}`, this.#where(signal)));
    if (path.length === 0) return root;
    if (root.type !== 'directory') throw Object.assign(new Error(shownName(cid)), { code: 'NOT_A_DIRECTORY' });
    return this.#insist(signal, async (peer) => {
      try {
        return await peer.stat(this.path, this.#where(signal));
      } catch (error) {
        throw codeOf(error) === 'NOT_FOUND' ? Object.assign(new Error(words.noEntry(path.join('/'))), { code: 'INVALID_PATH' }) : error;
      }
    });
  }

  async #list(/** @type {AbortSignal} */ signal) {
    this.#set('listing');
    await this.#insist(signal, async (peer) => {
      this.entries = [];
      for await (const entry of peer.ls(this.path, this.#where(signal))) {
        if (this.entries.length >= MAX_ENTRIES) {
          this.tooMany = true;
          break;
        }
        this.entries.push(entry);
        this.progressed();
      }
    });
    this.total ||= this.entries.reduce((sum, { size }) => sum + size, 0);
  }

  /** Fetches what is missing and pins it, so that it stays, is shared on and appears in “My files”. */
  async #keep(/** @type {AbortSignal} */ signal) {
    const { cid } = /** @type {{ cid: string }} */ (this.stat);
    await this.#insist(signal, async (peer) => {
      if (await this.#isCovered(peer)) return;
      await checkRoom(peer, this.total - (this.stat?.localSize ?? 0));
      this.#set('fetching');
      this.moved = performance.now();
      await peer.pins.add(cid, {
        ...this.#where(signal),
        name: this.name,
        onProgress: ({ loaded, total }) => this.#progress(loaded, total),
      });
    });
    this.kept = true;
    this.#done();
    this.#host.dispatchEvent(new Event('kept'));
  }

  /** What lies in a folder that is kept is kept with it. */
  async #isCovered(/** @type {import('./peer.js').Peer} */ peer) {
    if (!this.link?.path.length) return false;
    for await (const { cid, recursive } of peer.pins.ls()) if (recursive && cid === this.link.cid) return true;
    return false;
  }

  /**
   * @template T
   * @param {AbortSignal} signal
   * @param {(peer: import('./peer.js').Peer) => Promise<T>} attempt
   */
  #insist(signal, attempt) {
    if (this.state === 'starting') this.#set('looking');
    return insist(this.#host, signal, despiteHints(this.link, attempt), () => this.#set('waiting'));
  }

  /** Remembers whom the package can ask at the moment: it asks everybody who is connected. */
  #noteAsked() {
    for (const { id } of this.#host.peer?.peers() ?? []) this.asked.add(id);
  }

  #where(/** @type {AbortSignal} */ signal) {
    return { providers: this.link?.from ?? [], signal };
  }

  #progress(/** @type {number} */ loaded, /** @type {number | undefined} */ total) {
    const now = performance.now();
    if (loaded !== this.loaded) this.moved = now;
    this.loaded = loaded;
    if (total) this.total = total;
    // What was here before came at no speed.
    if (loaded >= (this.stat?.localSize ?? 0)) this.rate.sample(now, loaded);
    this.#announcer.progress('open', `${words.fetching} ${shownName(this.name)}: ${percent(loaded, this.total)} %`);
    this.progressed();
  }

  #done() {
    this.#set('ready');
    this.#announcer.tell('open', this.kept ? words.done(shownName(this.name)) : shownName(this.name));
  }

  #set(/** @type {State} */ state) {
    this.state = state;
    this.#say();
    this.changed();
  }

  /** It is fetched again when it is needed, from others if there are any. */
  #removed(/** @type {string} */ cid) {
    if (cid !== this.stat?.cid) return;
    this.kept = false;
    this.changed();
  }

  #looking(/** @type {import('./doing.js').Search & { root: string }} */ search) {
    if (!this.busy || ![this.link?.cid, this.stat?.cid].includes(search.root)) return;
    this.search = search;
    this.#noteAsked();
    this.progressed();
  }

  #say() {
    if (this.busy) this.#noteAsked();
    if (this.busy && this.doing) this.#announcer.say('open', this.doing);
  }
}
