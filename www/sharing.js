// Sharing: what was dropped waits in a line, is added piece by piece, and has a link at the end.

import { codeOf, isAbort, messageOf } from './errors.js';
import { Model } from './events.js';
import { shownName } from './names.js';
import { Rate, percent } from './progress.js';
import { share as words } from './strings.js';

/** How often others are counted who hold what is shared. */
const HOLDERS_MS = 5_000;

/** Drops that wait at most; a person does not make more by hand. */
const MAX_WAITING = 100;

/**
 * @typedef {object} Job
 * @property {import('./drop.js').Source} source
 * @property {string} name
 * @property {'waiting' | 'reading' | 'adding' | 'done' | 'failed' | 'cancelled'} state
 * @property {number} loaded
 * @property {number} total
 * @property {Rate} rate
 * @property {number} leftOut hidden files that were not taken
 * @property {string} [cid]
 * @property {number} [holders] other peers that hold it; `undefined` while nobody can say
 * @property {unknown} [error]
 */

export class Sharing extends Model {
  /** @type {Job | undefined} the one on the screen */
  current = undefined;
  /** @type {Job[]} */
  waiting = [];

  #host;
  #announcer;
  #controller = new AbortController();
  #askedToPersist = false;

  /**
   * @param {import('./peer.js').PeerHost} host
   * @param {import('./announcer.js').Announcer} announcer
   */
  constructor(host, announcer) {
    super();
    this.#host = host;
    this.#announcer = announcer;
    host.addEventListener('removed', (event) => this.#removed(/** @type {CustomEvent} */ (event).detail));
    setInterval(() => this.#countHolders(), HOLDERS_MS);
    host.addEventListener('peer:disconnect', () => this.#countHolders());
    host.addEventListener('sent', () => this.#countHolders());
  }

  get busy() {
    return this.current !== undefined && ['waiting', 'reading', 'adding'].includes(this.current.state);
  }

  /** @param {import('./drop.js').Source | undefined} source */
  add(source) {
    if (!source || this.waiting.length >= MAX_WAITING) return;
    this.waiting.push({ source, name: source.name, state: 'waiting', loaded: 0, total: 0, rate: new Rate(), leftOut: 0 });
    if (!this.busy) this.#next();
    this.changed();
  }

  cancel() {
    this.#controller.abort();
  }

  again() {
    if (this.current) this.add(this.current.source);
  }

  /** A link that leads nowhere any more is not shown. */
  #removed(/** @type {string} */ cid) {
    if (this.current?.cid !== cid) return;
    this.current = undefined;
    this.changed();
  }

  #next() {
    const job = this.waiting.shift();
    if (!job) return;
    this.current = job;
    this.#controller = new AbortController();
    this.#run(job, this.#controller.signal).finally(() => {
      this.changed();
      this.#next();
    });
    this.changed();
  }

  async #run(/** @type {Job} */ job, /** @type {AbortSignal} */ signal) {
    const name = shownName(job.name);
    try {
      this.#announcer.say('share', this.#host.state === 'ready' ? words.adding(name) : words.waiting);
      const peer = await this.#host.ready(signal);
      this.#set(job, 'reading');
      const content = await job.source.read(signal);
      Object.assign(job, { total: content.size, leftOut: content.leftOut });
      this.#set(job, 'adding');
      const { cid } = await peer.add(content.input, {
        hidden: content.hidden,
        signal,
        onProgress: ({ loaded }) => this.#progress(job, loaded),
      });
      await peer.pins.add(cid, { name: job.name });
      job.cid = cid;
      this.#set(job, 'done');
      this.#announcer.tell('share', words.done(name));
      this.#host.dispatchEvent(new Event('kept'));
      this.#afterFirst(peer);
      this.#countHolders();
    } catch (error) {
      this.#failed(job, error);
    }
  }

  #failed(/** @type {Job} */ job, /** @type {unknown} */ error) {
    if (isAbort(error)) {
      this.#set(job, 'cancelled');
      this.#announcer.tell('share', words.cancelled);
      return;
    }
    // What cannot be found while something is added is the file itself.
    job.error = codeOf(error) === 'NOT_FOUND' ? Object.assign(new Error(messageOf(error)), { code: 'FILE_CHANGED' }) : error;
    this.#set(job, 'failed');
    this.#announcer.clear('share');
    this.#host.noticed(error);
  }

  #set(/** @type {Job} */ job, /** @type {Job['state']} */ state) {
    job.state = state;
    this.changed();
  }

  #progress(/** @type {Job} */ job, /** @type {number} */ loaded) {
    job.loaded = loaded;
    job.rate.sample(performance.now(), loaded);
    this.#announcer.progress('share', `${words.adding(shownName(job.name))}: ${percent(loaded, job.total)} %`);
    this.progressed();
  }

  /** The first thing that is shared is worth asking for storage that the browser does not clear by itself. */
  async #afterFirst(/** @type {import('./peer.js').Peer} */ peer) {
    if (this.#askedToPersist) return;
    this.#askedToPersist = true;
    try {
      await peer.persist();
      this.#host.dispatchEvent(new Event('kept'));
    } catch {
      // It stays unprotected; “My files” says so.
    }
  }

  #counting = false;

  async #countHolders() {
    const job = this.current;
    if (this.#counting || !job?.cid || !this.#host.peer || document.hidden) return;
    this.#counting = true;
    try {
      job.holders = await this.#host.peer.holders(job.cid);
      this.changed();
    } catch {
      job.holders = undefined;
    } finally {
      // At most once a second, however many events come.
      setTimeout(() => (this.#counting = false), 1_000);
    }
  }
}
