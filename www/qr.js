// A QR code on a canvas: always dark on light, as cameras want it.

import { generate } from 'lean-qr';

/**
 * @param {HTMLCanvasElement} canvas
 * @param {string} text
 */
export function drawQr(canvas, text) {
  generate(text).toCanvas(canvas, { on: [23, 32, 38, 255], off: [255, 255, 255, 255], pad: 3 });
}
