// A look at a file before it is saved: pictures, sound, film and plain text, nothing that could run.

import { host } from './context.js';
import { isAbort } from './errors.js';
import { HEAD, MAX_TEXT, kindOf, textOf } from './kind.js';
import { open as words } from './strings.js';
import { View, html, nothing } from './view.js';

class PreviewView extends View {
  static properties = { cid: { attribute: false }, name: { attribute: false }, size: { attribute: false } };

  constructor() {
    super();
    this.cid = '';
    this.name = '';
    this.size = 0;
  }

  /** @type {import('./kind.js').Kind | undefined} */
  #kind = undefined;
  #address = '';
  #text = '';
  #failed = false;
  #controller = new AbortController();

  /** @param {Map<string, unknown>} changed */
  willUpdate(changed) {
    if (changed.has('cid') && this.cid) this.#load();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#forget();
  }

  render() {
    const kind = this.#kind?.kind;
    if (kind === undefined || this.#failed) return nothing;
    if (kind === 'none') return html`<p class="hint">${words.noPreview}</p>`;
    return html`<figure class="preview" aria-label=${words.preview}>${this.#content(kind)}</figure>`;
  }

  #content(/** @type {string} */ kind) {
    switch (kind) {
      case 'image':
        return html`<img src=${this.#address} alt=${this.name} />`;
      case 'audio':
        return html`<audio controls src=${this.#address}></audio>`;
      case 'video':
        return html`<video controls playsinline src=${this.#address}></video>`;
      default:
        return html`<pre tabindex="0" dir="auto">${this.#text}</pre>${this.size > MAX_TEXT ? html`<figcaption class="hint">${words.previewCut}</figcaption>` : nothing}`;
    }
  }

  async #load() {
    this.#forget();
    this.#controller = new AbortController();
    const { signal } = this.#controller;
    try {
      const kind = kindOf(this.name, this.size, await read(this.cid, Math.min(this.size, HEAD), signal));
      if (kind.kind === 'text') {
        const text = textOf(await read(this.cid, Math.min(this.size, MAX_TEXT), signal));
        if (text === undefined) kind.kind = /** @type {any} */ ('none');
        this.#text = text ?? '';
      } else if (kind.kind !== 'none') {
        const blob = new Blob([/** @type {BlobPart} */ (await read(this.cid, this.size, signal))], { type: kind.type });
        this.#address = URL.createObjectURL(blob);
      }
      this.#kind = kind;
    } catch (error) {
      if (signal.aborted || isAbort(error)) return;
      // A look is a help, not the thing itself: Save tells what is wrong.
      this.#failed = true;
    }
    this.requestUpdate();
  }

  #forget() {
    this.#controller.abort();
    if (this.#address) URL.revokeObjectURL(this.#address);
    this.#address = this.#text = '';
    this.#kind = undefined;
    this.#failed = false;
  }
}

/** The first `length` bytes of a file that is here. */
async function read(/** @type {string} */ cid, /** @type {number} */ length, /** @type {AbortSignal} */ signal) {
  const peer = await host.ready(signal);
  const parts = [];
  if (length > 0) for await (const part of peer.cat(`/ipfs/${cid}`, { length, signal })) parts.push(/** @type {BlobPart} */ (part));
  const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
  signal.throwIfAborted();
  return bytes;
}

customElements.define('avocet-preview', PreviewView);
