// “Import a CAR”, in the section “My files”: choose an archive, see how far it is and what came of it.

import { importing } from './context.js';
import { explain } from './errors.js';
import { shownName } from './names.js';
import { car as words } from './strings.js';
import { View, alertBox, html, nothing, progressLine } from './view.js';

class ImportView extends View {
  models = [importing];
  ticks = true;

  render() {
    return html`
      <div class="buttons">
        <label class="pick quiet">
          <input type="file" accept=".car,application/vnd.ipld.car" aria-describedby="car-hint" ?disabled=${importing.busy} @change=${this.#picked} />
          <span>${words.pick}</span>
        </label>
      </div>
      <p class="hint" id="car-hint">${words.hint}</p>
      ${this.#state()}
    `;
  }

  #state() {
    const { state, name, loaded, total, rate, error, result } = importing;
    if (state === 'failed' && !explain(error).restart) return alertBox(error);
    if (state === 'cancelled') return html`<p class="hint">${words.cancelled}</p>`;
    if (state === 'done' && result) {
      return html`<p class="hint">${words.done(shownName(name), result.blocks)} ${result.roots.length ? nothing : words.noRoots}</p>`;
    }
    if (!importing.busy) return nothing;
    const label = words.importing(shownName(name));
    return html`
      <div class="box">
        ${state === 'importing' ? progressLine({ label, loaded, total, rate }) : html`<progress aria-label=${label}></progress><p class="hint">${words.waiting}</p>`}
        <div class="buttons"><button type="button" class="quiet" @click=${() => importing.cancel()}>${words.cancel}</button></div>
      </div>
    `;
  }

  #picked(/** @type {Event} */ event) {
    const input = /** @type {HTMLInputElement} */ (event.target);
    const file = input.files?.[0];
    if (file) importing.take(file);
    // The same file can be chosen again.
    input.value = '';
  }
}

customElements.define('avocet-import', ImportView);
