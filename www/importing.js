// Importing: an archive of blocks comes in, and what it holds is listed under “My files”. One at a time.

import { codeOf, isAbort, messageOf } from './errors.js';
import { Model } from './events.js';
import { shownName } from './names.js';
import { Rate, percent } from './progress.js';
import { car as words } from './strings.js';

/** What the package's codes mean for an archive from a disk. */
const CODES = new Map([
  ['CORRUPT', 'CAR_DAMAGED'],
  ['NOT_FOUND', 'FILE_CHANGED'],
]);

export class Importing extends Model {
  /** @type {'idle' | 'waiting' | 'importing' | 'done' | 'failed' | 'cancelled'} */
  state = 'idle';
  name = '';
  loaded = 0;
  total = 0;
  rate = new Rate();
  /** @type {import('../js/index.js').CarImportResult | undefined} */
  result = undefined;
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
  }

  get busy() {
    return this.state === 'waiting' || this.state === 'importing';
  }

  /** @param {File} file */
  async take(file) {
    if (this.busy) return;
    this.#controller = new AbortController();
    const { signal } = this.#controller;
    const name = shownName(file.name);
    Object.assign(this, { name: file.name, loaded: 0, total: file.size, rate: new Rate(), result: undefined, error: undefined });
    this.#set('waiting');
    this.#announcer.say('import', this.#host.state === 'ready' ? words.importing(name) : words.waiting);
    try {
      const peer = await this.#host.ready(signal);
      this.#set('importing');
      const onProgress = (/** @type {{ loaded: number }} */ { loaded }) => this.#progress(loaded);
      this.result = await peer.car.import(file, { signal, onProgress });
      this.#set('done');
      this.#announcer.tell('import', words.done(name, this.result.blocks));
      this.#host.dispatchEvent(new Event('kept'));
    } catch (error) {
      this.#failed(error);
    }
  }

  cancel() {
    this.#controller.abort();
  }

  #failed(/** @type {unknown} */ error) {
    if (isAbort(error)) {
      this.#set('cancelled');
      this.#announcer.tell('import', words.cancelled);
      return;
    }
    const code = CODES.get(codeOf(error));
    this.error = code ? Object.assign(new Error(messageOf(error)), { code }) : error;
    this.#set('failed');
    this.#announcer.clear('import');
    this.#host.noticed(error);
  }

  #set(/** @type {Importing['state']} */ state) {
    this.state = state;
    this.changed();
  }

  #progress(/** @type {number} */ loaded) {
    this.loaded = loaded;
    this.rate.sample(performance.now(), loaded);
    this.#announcer.progress('import', `${words.importing(shownName(this.name))}: ${percent(loaded, this.total)} %`);
    this.progressed();
  }
}
