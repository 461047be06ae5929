// What every part of the page is built on: a lit element without a shadow root, so that one style sheet, labels and
// headings reach across the whole page, and so that nothing has to be styled inline.

import { LitElement, html, nothing } from 'lit';
import { explain } from './errors.js';
import { shownName } from './names.js';
import { bytes, duration, percent } from './progress.js';
import { alert as words } from './strings.js';

export { html, nothing };

/** Views that show a moving thing look again this often, in milliseconds: a rate falls even when nothing happens. */
const TICK_MS = 1_000;

export class View extends LitElement {
  /** @type {EventTarget[]} models whose changes are shown */
  models = [];
  /** Whether time alone changes what is shown. */
  ticks = false;

  #listening = new AbortController();

  createRenderRoot() {
    return this;
  }

  connectedCallback() {
    super.connectedCallback();
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    for (const model of this.models) model.addEventListener('change', () => this.requestUpdate(), { signal });
    if (!this.ticks) return;
    const timer = setInterval(() => this.requestUpdate(), TICK_MS);
    signal.addEventListener('abort', () => clearInterval(timer));
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#listening.abort();
  }

  /**
   * What had the focus may go with what it belonged to. Then the heading of its section has it, so that the keyboard
   * goes on from there and a screen reader says where it is.
   * @param {Map<PropertyKey, unknown>} changed
   */
  update(changed) {
    const had = this.contains(document.activeElement);
    super.update(changed);
    if (had && !this.contains(document.activeElement)) this.#place()?.focus({ preventScroll: true });
  }

  /** @returns {HTMLElement | null} */
  #place() {
    return (this.closest('section') ?? this).querySelector('[tabindex="-1"]');
  }
}

/** For `aria-disabled`: unlike `disabled` it leaves the focus where it is. Whoever is called looks for itself. */
export const whenBusy = (/** @type {unknown} */ busy) => (busy ? 'true' : nothing);

/** A stranger's name: text, and whatever direction it is written in stays inside. */
export const name = (/** @type {string} */ given) => html`<bdi class="name">${shownName(given)}</bdi>`;

/**
 * How far something is.
 * @param {{ label: string, loaded: number, total: number, rate: import('./progress.js').Rate, more?: unknown }} moving
 */
export function progressLine({ label, loaded, total, rate, more = nothing }) {
  const now = performance.now();
  const speed = rate.perSecond(now);
  const left = rate.secondsLeft(now, total);
  const known = total > 0 || loaded > 0;
  return html`
    <div class="progress">
      <progress aria-label=${label} max=${Math.max(total, 1)} .value=${known ? Math.min(loaded, total || 1) : 0}></progress>
      <p class="figures">
        <span class="percent">${percent(loaded, total)} %</span>
        <span>${bytes(loaded)} of ${bytes(total)}</span>
        ${speed > 0 ? html`<span>${bytes(speed)}/s</span>` : nothing}
        ${left === undefined ? nothing : html`<span>${duration(left)} left</span>`}
        ${more}
      </p>
    </div>
  `;
}

/**
 * What went wrong and what to do, with the buttons that help.
 * @param {unknown} error
 * @param {unknown} [buttons]
 */
export function alertBox(error, buttons = nothing) {
  const { code, title, detail, todo } = explain(error);
  return html`
    <div class="box alert">
      <div role="alert">
        <p class="what">${title}</p>
        <p>${todo}</p>
      </div>
      ${detail ? html`<details><summary>${words.details}</summary><p class="detail"><bdi>${shownName(detail)}</bdi> <code>${code}</code></p></details>` : nothing}
      ${buttons === nothing ? nothing : html`<div class="buttons">${buttons}</div>`}
    </div>
  `;
}
