// The section “My files”: what is kept on this device, and how much room it takes.

import { repeat } from 'lit/directives/repeat.js';
import { copyText } from './clipboard.js';
import { announcer, host, saving, transfers } from './context.js';
import { linkAddresses } from './share-view.js';
import { makeHash, makeLink } from './link.js';
import { shortId, shownName } from './names.js';
import { bytes } from './progress.js';
import { savingBox } from './saving-view.js';
import { files as words } from './strings.js';
import { View, alertBox, html, name, nothing, whenBusy } from './view.js';

/** Other tabs of this page change the same files. */
const CHANNEL = 'avocet-files';

/** @typedef {{ cid: string, name?: string, size?: number }} Row */

class FilesView extends View {
  models = [host, transfers, saving];

  /** @type {Row[] | undefined} */
  #rows = undefined;
  /** @type {import('../js/index.js').Usage | undefined} */
  #usage = undefined;
  /** @type {unknown} */
  #error = undefined;
  #removing = '';
  #said = '';
  #channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel(CHANNEL) : undefined;
  /** @type {import('./peer.js').Peer | undefined} whose files are shown */
  #shown = undefined;

  connectedCallback() {
    super.connectedCallback();
    host.addEventListener('kept', () => this.#changed());
    host.addEventListener('storage:low', () => announcer.tell('files', words.low));
    document.addEventListener('visibilitychange', () => document.hidden || this.#look());
    if (this.#channel) this.#channel.onmessage = () => this.#look();
  }

  willUpdate() {
    if (host.peer && host.peer !== this.#shown) {
      this.#shown = host.peer;
      this.#error = undefined;
      this.#look();
    }
  }

  render() {
    return html`
      <section class="card" aria-labelledby="my-files" id="section-my-files">
        <h2 id="my-files" tabindex="-1">${words.heading}</h2>
        ${this.#error ? alertBox(this.#error) : nothing}
        ${this.#list()}
        ${savingBox('files')}
        ${this.#said ? html`<p class="hint">${this.#said}</p>` : nothing}
        <avocet-import></avocet-import>
        ${this.#usage ? this.#storage(this.#usage) : nothing}
      </section>
    `;
  }

  #list() {
    if (!this.#rows) return html`<p class="hint">${words.loading}</p>`;
    if (this.#rows.length === 0) return html`<p class="empty">${words.empty}</p>`;
    return html`
      <p class="hint">${words.lead}</p>
      <ul class="rows">${repeat(this.#rows, (row) => row.cid, (row) => this.#row(row))}</ul>
    `;
  }

  #row(/** @type {Row} */ row) {
    const title = row.name || `${words.unnamed} (${shortId(row.cid)})`;
    const shown = shownName(title);
    const fetching = transfers.fetching(row.cid);
    return html`
      <li>
        <span class="entry"><a href=${makeHash({ cid: row.cid, name: row.name })}>${name(title)}</a>${fetching ? html` <span class="badge good">${words.fetchedBy(fetching)}</span>` : nothing}</span>
        <span class="size">${row.size === undefined ? '' : bytes(row.size)}</span>
        <span class="buttons">
          <button type="button" class="quiet small" aria-label=${words.copy(shown)} @click=${() => this.#copy(row, shown)}>${words.copyShort}</button>
          <button type="button" class="quiet small" aria-label=${words.car(shown)} aria-disabled=${whenBusy(saving.item)} @click=${() => this.#save(row, title)}>${words.carShort}</button>
          <button type="button" class="quiet small" aria-label=${words.remove(shown)} aria-disabled=${whenBusy(this.#removing)} @click=${() => this.#remove(row, shown)}>${words.removeShort}</button>
        </span>
      </li>
    `;
  }

  #storage(/** @type {import('../js/index.js').Usage} */ { used, quota, persisted }) {
    const canPersist = typeof navigator.storage?.persist === 'function';
    return html`
      <div class="storage">
        ${quota ? html`<meter aria-label=${words.storage} max=${quota} high=${quota * 0.9} .value=${used}></meter>` : nothing}
        <p class="hint">
          ${quota ? words.used(bytes(used), bytes(quota)) : words.usedOnly(bytes(used))}.
          ${persisted ? words.persisted : words.notPersisted}
          ${!persisted && canPersist ? html`<button type="button" class="plain" @click=${this.#persist}>${words.persist}</button>` : nothing}
        </p>
      </div>
    `;
  }

  async #look() {
    const { peer } = host;
    if (!peer) return;
    try {
      const rows = [];
      for await (const pin of peer.pins.ls()) rows.push(pin);
      this.#rows = rows;
      this.#usage = await peer.usage();
    } catch (error) {
      host.noticed(error);
      this.#error = error;
    }
    this.requestUpdate();
  }

  #changed() {
    this.#channel?.postMessage('changed');
    this.#look();
  }

  async #copy(/** @type {Row} */ { cid, name: given }, /** @type {string} */ shown) {
    const text = makeLink(location.href, { cid, name: given, from: linkAddresses() });
    const copied = await copyText(text);
    this.#say(copied ? words.copied(shown) : words.copyByHand(text));
  }

  #save(/** @type {Row} */ { cid, size }, /** @type {string} */ title) {
    saving.save({ cid, name: title, size: size ?? 0, folder: false, from: [], car: true, place: 'files' });
  }

  async #remove(/** @type {Row} */ { cid }, /** @type {string} */ shown) {
    if (this.#removing) return;
    this.#removing = cid;
    this.#error = undefined;
    this.#say(words.removing(shown));
    try {
      const peer = await host.ready();
      await peer.pins.rm(cid);
      const { bytes: freed } = await peer.gc();
      host.dispatchEvent(new CustomEvent('removed', { detail: cid }));
      this.#say(words.removed(shown, bytes(freed)));
    } catch (error) {
      host.noticed(error);
      this.#error = error;
      this.#said = '';
    }
    this.#removing = '';
    this.#changed();
  }

  async #persist() {
    const peer = await host.ready();
    if (!(await peer.persist())) this.#say(words.persistRefused);
    this.#look();
  }

  #say(/** @type {string} */ text) {
    this.#said = text;
    announcer.tell('files', text);
    this.requestUpdate();
  }
}

customElements.define('avocet-files', FilesView);
