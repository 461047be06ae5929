// The section “Open”: the field, what is being looked for or fetched, and what came out.

import { host, opening, saving, transfers } from './context.js';
import { explain } from './errors.js';
import { makeHash, parseLink } from './link.js';
import { shortId } from './names.js';
import { hasSavePicker } from './platform.js';
import { bytes } from './progress.js';
import { savingBox } from './saving-view.js';
import { open as words } from './strings.js';
import { View, alertBox, html, name, nothing, progressLine, whenBusy } from './view.js';

/** After this many milliseconds without anything coming, causes are named. */
const TROUBLE_MS = 5_000;

class OpenView extends View {
  models = [opening, saving, transfers, host];
  ticks = true;

  render() {
    return html`
      <section class="card" aria-labelledby="open" id="section-open">
        <h2 id="open" tabindex="-1">${words.heading}</h2>
        <form class="ask" @submit=${this.#submit}>
          <label class="field">
            <span>${words.field}</span>
            <input type="text" name="link" autocomplete="off" autocapitalize="off" spellcheck="false" placeholder=${words.placeholder} aria-describedby=${opening.state === 'idle' ? 'open-lead' : nothing} />
          </label>
          <button type="submit">${words.button}</button>
        </form>
        ${opening.state === 'idle' ? html`<p class="hint" id="open-lead">${words.lead}</p>` : this.#opened()}
      </section>
    `;
  }

  #opened() {
    const { link, state, error } = opening;
    return html`
      <article class="opened">
        ${link ? this.#head(link) : nothing}
        ${state === 'failed' ? this.#failed(error) : nothing}
        ${state === 'cancelled' ? html`<p>${words.cancelled}</p><div class="buttons">${this.#again('quiet')}${this.#leave()}</div>` : nothing}
        ${opening.busy ? this.#moving() : nothing}
        ${state === 'ready' ? this.#ready() : nothing}
        ${opening.isFolder && opening.entries.length + Number(state === 'ready') > 0 ? html`<avocet-folder></avocet-folder>` : nothing}
        ${savingBox('open')}
      </article>
    `;
  }

  #head(/** @type {import('./link.js').Link} */ link) {
    return html`
      <header class="opened-head">
        ${link.path.length ? this.#crumbs(link) : nothing}
        <h3 class="title" id="opened" tabindex="-1">${name(opening.name)}</h3>
        <p class="facts">
          ${opening.stat ? html`<span>${words.types[/** @type {keyof typeof words.types} */ (opening.stat.type)] ?? ''}</span><span>${bytes(opening.total)}</span>` : nothing}
          <span class="badge">${words.notVetted}</span>
        </p>
        <p class="hint">${words.notVettedMore}</p>
        <p class="cid"><span>${words.cid}</span> <code>${opening.stat?.cid ?? link.cid}</code></p>
      </header>
    `;
  }

  #crumbs(/** @type {import('./link.js').Link} */ link) {
    const places = [{ text: link.name ?? shortId(link.cid), path: /** @type {string[]} */ ([]) }];
    for (const [at, text] of link.path.slice(0, -1).entries()) places.push({ text, path: link.path.slice(0, at + 1) });
    return html`
      <nav class="crumbs" aria-label=${words.path}>
        ${places.map(({ text, path }) => html`<a href=${makeHash({ ...link, path })}>${name(text)}</a><span aria-hidden="true">/</span>`)}
      </nav>
    `;
  }

  #failed(/** @type {unknown} */ error) {
    const { retry, restart } = explain(error);
    if (restart) return html`<p>${words.stopped}</p>`;
    return alertBox(error, html`${retry ? this.#again('') : nothing}${this.#leave()}`);
  }

  #again(/** @type {'' | 'quiet'} */ look) {
    return html`<button type="button" class=${look} @click=${() => opening.again()}>${words.again}</button>`;
  }

  #leave() {
    return html`<button type="button" class="quiet" @click=${this.#close}>${words.close}</button>`;
  }

  #moving() {
    const fetching = opening.state === 'fetching' || opening.loaded > 0;
    const { loaded, total, rate } = opening;
    return html`
      ${fetching
        ? progressLine({ label: `${words.fetching} ${opening.name}`, loaded, total, rate, more: this.#sources() })
        : html`<progress aria-label=${words.asking(0)}></progress>`}
      ${opening.doing ? html`<p class="doing">${opening.doing}</p>` : nothing}
      ${this.#trouble()}
      <div class="buttons"><button type="button" class="quiet" @click=${() => opening.cancel()}>${words.cancel}</button></div>
    `;
  }

  #sources() {
    const rows = transfers.sources(opening.stat?.cid ?? '');
    if (rows.length === 0) return nothing;
    return html`<span>${words.from(rows.slice(0, 3).map((row) => shortId(row.peer)).join(', '))}${rows.length > 3 ? ` +${rows.length - 3}` : ''}</span>`;
  }

  #trouble() {
    const quiet = performance.now() - opening.moved > TROUBLE_MS;
    if (!quiet || host.state !== 'ready') return nothing;
    return html`
      <details class="trouble">
        <summary>${words.trouble}</summary>
        <ul>${words.causes.map((cause) => html`<li>${cause}</li>`)}</ul>
        ${opening.asked.size ? html`<p class="hint">${words.asked}: ${[...opening.asked].slice(0, 20).map((id) => html`<code title=${id}>${shortId(id)}</code> `)}</p>` : nothing}
      </details>
    `;
  }

  #ready() {
    const item = this.#item();
    const folder = opening.isFolder;
    return html`
      <p class="held ${opening.kept ? 'safe' : ''}">${opening.kept ? words.kept : words.notKept}</p>
      <div class="buttons">
        <button type="button" aria-disabled=${whenBusy(saving.item)} @click=${() => saving.save(item)}>${folder ? words.saveAll : words.save}</button>
        ${hasSavePicker ? html`<button type="button" class="quiet" aria-disabled=${whenBusy(saving.item)} @click=${() => saving.saveTo(item)}>${words.saveTo}</button>` : nothing}
        <button type="button" class="quiet" aria-disabled=${whenBusy(saving.item)} @click=${() => saving.save({ ...item, car: true })}>${words.saveCar}</button>
        ${folder && !opening.kept ? html`<button type="button" class="quiet" @click=${() => opening.keepAll()}>${words.keepAll(bytes(opening.total))}</button>` : nothing}
        ${this.#leave()}
      </div>
      ${folder ? nothing : html`<avocet-preview .cid=${item.cid} .name=${item.name} .size=${item.size}></avocet-preview>`}
    `;
  }

  #item() {
    const { stat, link, name: given, isFolder } = opening;
    return { cid: stat?.cid ?? '', name: given, size: opening.total, folder: isFolder, from: link?.from ?? [] };
  }

  #submit(/** @type {SubmitEvent} */ event) {
    event.preventDefault();
    const text = String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get('link') ?? '').trim();
    openText(text);
  }

  #close() {
    history.pushState(null, '', location.pathname + location.search);
    opening.close();
  }
}

/**
 * Opens what was typed or pasted. A link goes into the address too, so that a reload goes on with it.
 * @param {string} text
 */
export function openText(text) {
  try {
    const hash = makeHash(parseLink(text));
    if (hash !== location.hash) history.pushState(null, '', hash);
  } catch {
    // What is wrong with it is said by the section.
  }
  opening.open(text);
}

customElements.define('avocet-open', OpenView);
