// What is in a folder. Rows are made for as many entries as somebody asks to see.

import { opening, saving } from './context.js';
import { makeHash } from './link.js';
import { shownName } from './names.js';
import { MAX_ENTRIES } from './opening.js';
import { bytes } from './progress.js';
import { open as words } from './strings.js';
import { View, html, name, nothing, whenBusy } from './view.js';

/** Rows shown at first, and added by each “Show more”. */
const PAGE = 500;

/** @typedef {import('./opening.js').Entry} Entry */

class FolderView extends View {
  models = [opening, saving];

  #shown = PAGE;
  #link = opening.link;
  /** @type {Set<string>} names that more than one entry has */
  #twins = new Set();
  #counted = 0;

  willUpdate() {
    const { entries, link } = opening;
    if (link !== this.#link) this.#shown = PAGE;
    if (link !== this.#link || entries.length !== this.#counted) this.#twins = twins(entries);
    this.#link = link;
    this.#counted = entries.length;
  }

  render() {
    const { entries, tooMany } = opening;
    if (entries.length === 0) return html`<p class="empty">${words.empty}</p>`;
    return html`
      <p class="hint">${words.summary(entries.length, bytes(opening.total))}${tooMany ? ` ${words.tooMany(MAX_ENTRIES)}` : ''}</p>
      <ul class="rows listing" aria-label=${words.entries}>
        ${entries.slice(0, this.#shown).map((entry) => this.#row(entry))}
      </ul>
      ${entries.length > this.#shown ? html`<button type="button" class="quiet" @click=${this.#more}>${words.more}</button>` : nothing}
    `;
  }

  #row(/** @type {Entry} */ entry) {
    const opens = ['directory', 'file', 'raw'].includes(entry.type);
    const type = words.types[/** @type {keyof typeof words.types} */ (entry.type)] ?? words.types.ipld;
    return html`
      <li>
        <span class="entry">
          <span class="type ${entry.type}" aria-hidden="true"></span>
          ${opens ? html`<a href=${this.#target(entry)}>${name(entry.name)}</a>` : name(entry.name)}
          <span class="sr">${type}</span>
        </span>
        <span class="size">${entry.type === 'directory' && !entry.size ? '' : bytes(entry.size)}</span>
        ${opens ? html`<button type="button" class="quiet small" aria-disabled=${whenBusy(saving.item)} aria-label=${words.saveOne(shownName(entry.name))} @click=${() => this.#save(entry)}>${words.save}</button>` : html`<span></span>`}
      </li>
    `;
  }

  /** By the path where the name can stand in one, else by the CID of the entry. */
  #target(/** @type {Entry} */ entry) {
    const { cid, path, name: root, from } = /** @type {import('./link.js').Link} */ (opening.link);
    const isSegment = entry.name !== '' && entry.name !== '.' && entry.name !== '..' && !/[/\0]/.test(entry.name);
    if (isSegment && !this.#twins.has(entry.name)) return makeHash({ cid, path: [...path, entry.name], name: root, from });
    return makeHash({ cid: entry.cid, name: entry.name, from });
  }

  #save(/** @type {Entry} */ { cid, name: given, size, type }) {
    saving.save({ cid, name: given, size, folder: type === 'directory', from: opening.link?.from ?? [] });
  }

  #more() {
    this.#shown += PAGE;
    this.requestUpdate();
  }
}

function twins(/** @type {Entry[]} */ entries) {
  const seen = new Set();
  const twice = new Set();
  for (const { name: given } of entries) (seen.has(given) ? twice : seen).add(given);
  return twice;
}

customElements.define('avocet-folder', FolderView);
