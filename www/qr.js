// A QR code on a canvas: always dark on light, as cameras want it.

import { generate } from 'lean-qr';

/** Drawn larger than it is shown, so that every module comes out even at any size. */
const MODULE_PX = 6;

/** Empty modules around the code. */
const MARGIN = 3;

/**
 * @param {HTMLCanvasElement} canvas
 * @param {string} text
 */
export function drawQr(canvas, text) {
  const code = generate(text);
  const side = (code.size + 2 * MARGIN) * MODULE_PX;
  canvas.width = canvas.height = side;
  const pen = canvas.getContext('2d');
  if (!pen) return;
  pen.fillStyle = '#fff';
  pen.fillRect(0, 0, side, side);
  pen.fillStyle = '#172026';
  for (let y = 0; y < code.size; y += 1) {
    for (let x = 0; x < code.size; x += 1) {
      if (code.get(x, y)) pen.fillRect((x + MARGIN) * MODULE_PX, (y + MARGIN) * MODULE_PX, MODULE_PX, MODULE_PX);
    }
  }
}
