// How far a file is that is being saved, and what went wrong with it. It is shown by the section that was asked to save.

import { saving } from './context.js';
import { fileName } from './saving.js';
import { open as words } from './strings.js';
import { alertBox, html, nothing, progressLine } from './view.js';

/** @param {'open' | 'files'} place */
export function savingBox(place) {
  if (saving.place !== place) return nothing;
  const { item, loaded, rate, error, skipped } = saving;
  if (error) return alertBox(error, html`<button type="button" class="quiet" @click=${() => saving.dismiss()}>${words.close}</button>`);
  if (item) {
    return html`
      <div class="box">
        ${progressLine({ label: words.staging(item.car ? fileName(item) : item.name), loaded, total: item.size, rate })}
        <div class="buttons"><button type="button" class="quiet" @click=${() => saving.cancel()}>${words.cancel}</button></div>
      </div>
    `;
  }
  return skipped ? html`<p class="hint">${words.zipSkipped(skipped)}</p>` : nothing;
}
