// The QR code of a link.

import { drawQr } from './qr.js';
import { share as words } from './strings.js';
import { View, html } from './view.js';

class QrView extends View {
  static properties = { text: { attribute: false } };

  constructor() {
    super();
    /** @type {string | undefined} */
    this.text = undefined;
  }

  /** @param {Map<string, unknown>} changed */
  updated(changed) {
    const canvas = this.querySelector('canvas');
    if (canvas && this.text && changed.has('text')) drawQr(canvas, this.text);
  }

  render() {
    if (!this.text) return html`<p class="hint">${words.qrTooLong}</p>`;
    return html`<canvas class="qr" role="img" aria-label=${words.qr}></canvas>`;
  }
}

customElements.define('avocet-qr', QrView);
