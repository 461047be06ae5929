// The frame of the page: what is always there, and what concerns all of it: dropping, pasting, links in the address,
// the line that says what is happening, and what is missing.

import { announcer, host, importing, opening, sharing, transfers } from './context.js';
import { fromDrop, fromFiles, fromText } from './drop.js';
import { isLinkHash, looksLikeLink } from './link.js';
import { openText } from './open-view.js';
import { shownName } from './names.js';
import { hasWasm, hasWebRtc, isSecure, prefersStill } from './platform.js';
import * as words from './strings.js';
import { View, alertBox, html, nothing } from './view.js';

/** Where it is remembered that the notice was read. */
const UNDERSTOOD = 'avocet-notice-read';

/** The sections by the ids of their headings. */
const SECTIONS = [['share', words.share.heading], ['open', words.open.heading], ['my-files', words.files.heading], ['peers', words.peers.heading]];

class App extends View {
  models = [host, announcer, opening];

  #understood = remembered();
  #dragging = false;
  /** Whoever comes by a link wants that first. The order stays, so that nothing moves under anyone's hands. */
  #openFirst = isLinkHash(location.hash);

  connectedCallback() {
    // What stood here until now is what a browser without scripts shows.
    this.replaceChildren();
    super.connectedCallback();
    addEventListener('hashchange', () => this.#followAddress());
    addEventListener('popstate', () => this.#followAddress());
    addEventListener('beforeunload', (event) => {
      if (transfers.sending || sharing.busy || importing.busy) event.preventDefault();
    });
    for (const type of ['online', 'offline']) addEventListener(type, () => this.#network(type));
    document.addEventListener('paste', (event) => this.#pasted(event));
    for (const type of ['dragenter', 'dragover', 'dragleave', 'drop']) document.addEventListener(type, (event) => this.#dragged(/** @type {DragEvent} */ (event)));
    opening.addEventListener('change', () => this.#showOpened());
    this.#followAddress();
  }

  willUpdate() {
    document.title = opening.link ? `${shownName(opening.name)} · ${words.app.title}` : words.app.title;
    announcer.base(this.#idle());
  }

  render() {
    const share = html`<avocet-share></avocet-share>`;
    const open = html`<avocet-open></avocet-open>`;
    return html`
      <a class="skip" href="#main" @click=${(/** @type {Event} */ e) => this.#go(e, 'main')}>${words.app.skip}</a>
      <header class="top">
        <div class="brand">
          <svg viewBox="0 0 64 64" aria-hidden="true"><path class="legs" d="M25 45v15h4M31 45v13h4" /><path class="body" d="M2 40c9-9 18-13 28-12 9 1 14 6 12 12-2 5-11 8-20 7-8-1-14-4-20-7z" /><path class="wing" d="M11 39c8-5 16-6 25-4-5 5-15 7-25 4z" /><path class="neck" d="M38 36c7-5-1-13 3-20" /><circle class="body" cx="41.5" cy="13.5" r="4.6" /><path class="bill" d="M45 13c6 3 11 2 17-5" /></svg>
          <h1 class="brand-name">${words.app.title}</h1>
          <p class="tagline">${words.app.tagline}</p>
        </div>
        <nav aria-label=${words.app.nav}>
          ${SECTIONS.map(([id, title]) => html`<a href="#${id}" @click=${(/** @type {Event} */ e) => this.#go(e, id)}>${title}</a>`)}
        </nav>
      </header>
      <p class="status ${this.#mood()}" role="status">${announcer.text}</p>
      <main id="main" tabindex="-1">
        ${this.#notices()}
        <div class="sections">
          ${this.#openFirst ? [open, share] : [share, open]}
          <avocet-files></avocet-files>
          <avocet-peers></avocet-peers>
        </div>
      </main>
      ${this.#dragging ? html`<div class="overlay" aria-hidden="true"><div><p>${words.app.drop}</p><p>${words.app.dropMore}</p></div></div>` : nothing}
    `;
  }

  #notices() {
    const { missing, notice } = words;
    return html`
      ${host.state === 'failed' ? alertBox(host.error, html`<button type="button" @click=${() => host.restart()}>${words.app.crash}</button>`) : nothing}
      ${hasWasm ? nothing : missingBox(missing.wasm)}
      ${hasWebRtc ? nothing : missingBox(missing.webrtc)}
      ${host.inMemory ? missingBox(missing.indexedDb) : nothing}
      ${isSecure ? nothing : html`<p class="box note" role="note">${notice.plainHttp}</p>`}
      ${host.hasNetwork || !hasWebRtc ? nothing : html`<p class="box note" role="note">${notice.noRelay}</p>`}
      ${this.#understood
        ? nothing
        : html`
            <aside class="box note" aria-label=${notice.label}>
              <p>${notice.privacy}</p>
              <div class="buttons"><button type="button" class="quiet" @click=${this.#understand}>${notice.understood}</button></div>
            </aside>
          `}
    `;
  }

  /** What the line says while nothing else happens. */
  #idle() {
    const { status } = words;
    if (host.state === 'failed') return host.peer ? status.broken : status.failed;
    if (host.state === 'loading') return status.loading;
    if (!navigator.onLine) return status.browserOffline;
    if (!host.hasNetwork) return status.offlineMode;
    if (!host.online) return host.wasOnline ? status.relayLost : status.connecting;
    return status.connected(host.peer?.peers().length ?? 0);
  }

  #mood() {
    if (host.state === 'failed') return 'bad';
    return host.state === 'ready' && (host.online || !host.hasNetwork) ? 'good' : 'waiting';
  }

  #network(/** @type {string} */ type) {
    announcer.tell('network', type === 'online' ? words.status.backOnline : words.status.browserOffline);
    this.requestUpdate();
  }

  #address = '';

  /** `popstate` and `hashchange` both come for a link that is clicked. */
  #followAddress() {
    const { hash } = location;
    if (hash === this.#address) return;
    this.#address = hash;
    if (isLinkHash(hash)) opening.open(hash);
    else if (opening.state !== 'idle') opening.close();
  }

  /** What is opened is brought into sight, once. */
  #showOpened() {
    this.#address = location.hash;
    if (opening.link === this.#seen) return;
    this.#seen = opening.link;
    if (!this.#seen) return;
    this.updateComplete.then(() => {
      document.getElementById('section-open')?.scrollIntoView({ block: 'nearest', behavior: prefersStill() ? 'auto' : 'smooth' });
    });
  }

  /** @type {import('./link.js').Link | undefined} */
  #seen = undefined;

  /** The address belongs to links that are open; sections are found without changing it. */
  #go(/** @type {Event} */ event, /** @type {string} */ id) {
    event.preventDefault();
    const place = document.getElementById(id);
    place?.focus({ preventScroll: true });
    place?.scrollIntoView({ block: 'start', behavior: prefersStill() ? 'auto' : 'smooth' });
  }

  #understand() {
    this.#understood = true;
    try {
      localStorage.setItem(UNDERSTOOD, '1');
    } catch {
      // Then it is shown again.
    }
    this.requestUpdate();
  }

  #dragged(/** @type {DragEvent} */ event) {
    const data = event.dataTransfer;
    if (!data || !['Files', 'text/plain'].some((type) => data.types.includes(type))) return;
    // Text that is dropped into a field belongs there.
    if (!data.types.includes('Files') && isField(event.target)) return;
    event.preventDefault();
    const leaves = event.type === 'dragleave' && event.relatedTarget === null;
    const dragging = event.type === 'drop' || leaves ? false : event.type === 'dragleave' ? this.#dragging : true;
    if (dragging !== this.#dragging) {
      this.#dragging = dragging;
      this.requestUpdate();
    }
    if (event.type === 'drop') this.#take(data, fromDrop);
  }

  #pasted(/** @type {ClipboardEvent} */ event) {
    if (!event.clipboardData || (isField(event.target) && event.clipboardData.files.length === 0)) return;
    event.preventDefault();
    this.#take(event.clipboardData, (data) => fromFiles(data.files));
  }

  /** Files are shared; text that is a link is opened; other text is shared as a note. */
  #take(/** @type {DataTransfer} */ data, /** @type {(data: DataTransfer) => import('./drop.js').Source | undefined} */ files) {
    const text = data.getData('text/plain');
    const source = data.types.includes('Files') ? files(data) : undefined;
    if (source) sharing.add(source);
    else if (looksLikeLink(text)) openText(text);
    else if (text.trim()) sharing.add(fromText(text));
  }
}

function missingBox(/** @type {{ title: string, todo: string }} */ { title, todo }) {
  return html`<div class="box alert" role="alert"><p class="what">${title}</p><p>${todo}</p></div>`;
}

function isField(/** @type {EventTarget | null} */ target) {
  return target instanceof Element && target.closest('input, textarea, [contenteditable]') !== null;
}

function remembered() {
  try {
    return localStorage.getItem(UNDERSTOOD) === '1';
  } catch {
    return false;
  }
}

customElements.define('avocet-app', App);
