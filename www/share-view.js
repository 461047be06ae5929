// The section “Share”: choose, see it being added, hand on the link, see who fetches it.

import { copyText } from './clipboard.js';
import { announcer, host, sharing, transfers } from './context.js';
import { fromFiles, fromText } from './drop.js';
import { explain } from './errors.js';
import { makeLink, makeQrLink } from './link.js';
import { shortId } from './names.js';
import { isLoopback } from './platform.js';
import { bytes } from './progress.js';
import { share as words } from './strings.js';
import { View, alertBox, html, name, nothing, progressLine } from './view.js';

class ShareView extends View {
  models = [sharing, transfers, host];
  ticks = true;

  /** What became of the last copy. */
  #copied = '';

  render() {
    const job = sharing.current;
    return html`
      <section class="card" aria-labelledby="share" id="section-share">
        <h2 id="share" tabindex="-1">${words.heading}</h2>
        ${job?.state === 'done' ? this.#done(job) : this.#choose(job)}
      </section>
    `;
  }

  #choose(/** @type {import('./sharing.js').Job | undefined} */ job) {
    return html`
      <div class="drop">
        <svg class="drop-mark" viewBox="0 0 48 48" aria-hidden="true"><path d="M24 33V13m-8 8 8-8 8 8M9 31v5a3 3 0 0 0 3 3h24a3 3 0 0 0 3-3v-5" /></svg>
        <p>${words.lead}</p>
        ${this.#pickers('')}
        <p class="hint">${words.paste}</p>
      </div>
      ${job ? this.#job(job) : nothing}
      ${sharing.waiting.length ? html`<p class="hint">${words.queued(sharing.waiting.length)}</p>` : nothing}
      ${this.#text()}
    `;
  }

  #pickers(/** @type {'' | 'quiet'} */ look) {
    return html`
      <div class="buttons">
        <label class="pick ${look}">
          <input type="file" multiple @change=${this.#picked} />
          <span>${words.files}</span>
        </label>
        <label class="pick quiet">
          <input type="file" webkitdirectory @change=${this.#picked} />
          <span>${words.folder}</span>
        </label>
      </div>
    `;
  }

  #text() {
    return html`
      <details class="note">
        <summary>${words.text}</summary>
        <form @submit=${this.#written}>
          <textarea name="text" rows="4" required aria-label=${words.textLabel}></textarea>
          <button type="submit">${words.textShare}</button>
        </form>
      </details>
    `;
  }

  #job(/** @type {import('./sharing.js').Job} */ job) {
    if (job.state === 'failed' && explain(job.error).restart) return html`<p>${words.stopped}</p>`;
    if (job.state === 'failed') return alertBox(job.error, html`<button type="button" @click=${() => sharing.again()}>${words.again}</button>`);
    if (job.state === 'cancelled') {
      return html`<div class="box"><p>${words.cancelled}</p><div class="buttons"><button type="button" class="quiet" @click=${() => sharing.again()}>${words.again}</button></div></div>`;
    }
    const moving = { label: words.adding(job.name), loaded: job.loaded, total: job.total, rate: job.rate };
    return html`
      <div class="box">
        <p class="what">${name(job.name)}</p>
        ${job.state === 'adding' ? progressLine(moving) : html`<progress aria-label=${words.adding(job.name)}></progress><p class="hint">${job.state === 'reading' ? words.reading : words.waiting}</p>`}
        <div class="buttons"><button type="button" class="quiet" @click=${() => sharing.cancel()}>${words.cancel}</button></div>
      </div>
    `;
  }

  #done(/** @type {import('./sharing.js').Job} */ job) {
    const from = linkAddresses();
    const link = { cid: job.cid ?? '', name: job.name, from };
    const text = makeLink(location.href, link);
    const holders = wholeHolders(job);
    return html`
      <div class="shared">
        <div class="shared-main">
          <p class="what">${name(job.name)} <span class="hint">${bytes(job.total)}</span></p>
          ${job.leftOut ? html`<p class="hint">${words.hidden(job.leftOut)}</p>` : nothing}
          <label class="field">
            <span>${words.link}</span>
            <input type="text" readonly class="link" .value=${text} @focus=${(/** @type {FocusEvent} */ e) => /** @type {HTMLInputElement} */ (e.target).select()} />
          </label>
          <div class="buttons">
            <button type="button" @click=${this.#copy}>${words.copy}</button>
            <span class="hint">${this.#copied}</span>
          </div>
          ${from.length === 0 && host.hasNetwork ? html`<p class="hint">${words.noAddress}</p>` : nothing}
          ${isLoopback ? html`<p class="hint">${words.loopback}</p>` : nothing}
        </div>
        <avocet-qr .text=${makeQrLink(location.href, link)}></avocet-qr>
      </div>
      <p class="held ${holders ? 'safe' : ''}">${holders ? words.held(holders) : words.keepOpen}</p>
      ${this.#downloaders(job)}
      <div class="another">
        <p class="hint">${words.another}</p>
        ${this.#pickers('quiet')}
        ${this.#text()}
      </div>
    `;
  }

  #downloaders(/** @type {import('./sharing.js').Job} */ job) {
    const rows = transfers.downloaders(job.cid ?? '');
    if (rows.length === 0) return nothing;
    return html`
      <h3 class="small">${words.sending}</h3>
      <ul class="rows">
        ${rows.map((row) => html`<li><code>${shortId(row.peer)}</code>${this.#downloader(row, job.total)}</li>`)}
      </ul>
    `;
  }

  /** A bar as long as it moves. More than all can be sent: to one who asked twice, or with the tree above the bytes. */
  #downloader(/** @type {import('./transfers.js').Row} */ row, /** @type {number} */ total) {
    if (row.bytes >= total || !transfers.isActive(row)) return html`<span class="hint">${words.sent(bytes(row.bytes))}</span>`;
    return progressLine({ label: words.sendingTo(shortId(row.peer)), loaded: row.bytes, total, rate: row.rate });
  }

  #picked(/** @type {Event} */ event) {
    const input = /** @type {HTMLInputElement} */ (event.target);
    this.#copied = '';
    sharing.add(fromFiles(input.files ?? []));
    // The same file can be chosen again.
    input.value = '';
  }

  #written(/** @type {SubmitEvent} */ event) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const text = String(new FormData(form).get('text') ?? '');
    if (text) sharing.add(fromText(text));
    form.reset();
  }

  async #copy() {
    const field = /** @type {HTMLInputElement} */ (this.querySelector('.link'));
    const copied = await copyText(field.value, field);
    this.#copied = copied ? words.copied : words.copyByHand;
    announcer.tell('copy', this.#copied);
    this.requestUpdate();
  }
}

/** Whoever is still fetching has the root already, and says so; only who has all of it counts. */
function wholeHolders(/** @type {import('./sharing.js').Job} */ job) {
  const partial = transfers.downloaders(job.cid ?? '').filter((row) => row.bytes < job.total).length;
  return Math.max(0, (job.holders ?? 0) - partial);
}

/** The addresses by which another browser reaches this one. */
export function linkAddresses() {
  return (host.peer?.addrs() ?? []).filter((address) => address.split('/').includes('webrtc'));
}

customElements.define('avocet-share', ShareView);
