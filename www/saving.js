// Saving: from blocks to a file of one's own. `Save` makes a download; `Save to…` writes straight to where one says.
// One thing is saved at a time.

import { isAbort } from './errors.js';
import { Model } from './events.js';
import { safeName, shownName } from './names.js';
import { Rate, percent } from './progress.js';
import { stage } from './stage.js';
import { open as words } from './strings.js';
import { zipFolder } from './zip.js';

/** The address of a download is given back after this many milliseconds: the browser has opened it by then. */
const RELEASE_MS = 600_000;

/**
 * What can be saved: a file or a folder.
 * @typedef {object} Item
 * @property {string} cid
 * @property {string} name as it was given, not yet safe
 * @property {number} size bytes
 * @property {boolean} folder
 * @property {boolean} [car] as an archive of its blocks
 * @property {'open' | 'files'} [place] the section that asked for it, and shows how far it is; `open` when left out
 * @property {string[]} from
 */

export class Saving extends Model {
  /** @type {Item | undefined} what is being saved */
  item = undefined;
  /** The section that shows it, and what became of it. @type {'open' | 'files'} */
  place = 'open';
  loaded = 0;
  rate = new Rate();
  /** @type {unknown} */
  error = undefined;
  /** Entries of a folder that are not in its zip. */
  skipped = 0;

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

  /**
   * As a download of the browser.
   * @param {Item} item
   */
  save(item) {
    return this.#run(item, async (stream, signal) => {
      const { blob, release } = await stage(stream, { signal, onBytes: (count) => this.#progress(count) });
      download(blob, fileName(item), release);
      return words.saved(fileName(item));
    });
  }

  /**
   * To a place that is asked for. Must be called by a click.
   * @param {Item} item
   */
  async saveTo(item) {
    if (this.item) return;
    let target;
    try {
      target = await askWhere(fileName(item));
    } catch (error) {
      if (!isAbort(error)) this.#failed(error);
      return;
    }
    await this.#run(item, async (stream, signal) => {
      const counted = new TransformStream({
        transform: (chunk, controller) => {
          this.#progress(chunk.length);
          controller.enqueue(chunk);
        },
      });
      await stream.pipeThrough(counted).pipeTo(await target.createWritable(), { signal });
      return words.savedTo(target.name);
    });
  }

  cancel() {
    this.#controller.abort();
  }

  /** The message about the last one has been read. */
  dismiss() {
    this.error = undefined;
    this.skipped = 0;
    this.changed();
  }

  async #run(
    /** @type {Item} */ item,
    /** @type {(stream: ReadableStream<Uint8Array>, signal: AbortSignal) => Promise<string>} */ write,
  ) {
    if (this.item) return;
    this.#controller = new AbortController();
    const { signal } = this.#controller;
    Object.assign(this, { item, place: item.place ?? 'open', loaded: 0, rate: new Rate(), error: undefined, skipped: 0 });
    this.#announcer.say('save', words.staging(shownName(fileName(item))));
    this.changed();
    try {
      const peer = await this.#host.ready(signal);
      const said = await write(this.#read(peer, item, signal), signal);
      this.#announcer.tell('save', said);
    } catch (error) {
      this.#announcer.clear('save');
      if (!signal.aborted) this.#failed(error);
    } finally {
      this.item = undefined;
      this.changed();
    }
  }

  #read(/** @type {import('./peer.js').Peer} */ peer, /** @type {Item} */ item, /** @type {AbortSignal} */ signal) {
    const where = { providers: item.from, signal };
    if (item.car) return peer.car.export(item.cid, where);
    if (!item.folder) return peer.cat(`/ipfs/${item.cid}`, where);
    return zipFolder(peer, `/ipfs/${item.cid}`, { ...where, onSkip: () => (this.skipped += 1) });
  }

  #failed(/** @type {unknown} */ error) {
    this.error = error;
    this.#host.noticed(error);
    this.changed();
  }

  #progress(/** @type {number} */ count) {
    this.loaded += count;
    this.rate.sample(performance.now(), this.loaded);
    const { item } = this;
    if (item) this.#announcer.progress('save', `${words.staging(shownName(fileName(item)))}: ${percent(this.loaded, item.size)} %`);
    this.progressed();
  }
}

/** The name on disk. */
export function fileName(/** @type {Item} */ { name, folder, car }) {
  if (car) return safeName(`${safeName(name, folder ? 'folder' : 'file')}.car`);
  return folder ? safeName(`${safeName(name, 'folder')}.zip`) : safeName(name);
}

/** A link that is clicked; its type keeps the browser from ever showing it as a page of this origin. */
function download(/** @type {Blob} */ blob, /** @type {string} */ name, /** @type {() => void} */ release) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([blob], { type: 'application/octet-stream' }));
  link.download = name;
  link.hidden = true;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => {
    URL.revokeObjectURL(link.href);
    release();
  }, RELEASE_MS);
}

/** A browser may still refuse a name that we think safe; then it suggests none. */
async function askWhere(/** @type {string} */ suggestedName) {
  const ask = /** @type {any} */ (globalThis).showSaveFilePicker;
  try {
    return await ask({ suggestedName });
  } catch (error) {
    if (error instanceof TypeError) return ask();
    throw error;
  }
}
