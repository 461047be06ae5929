import assert from 'node:assert/strict';
import test from 'node:test';
import { MAX_IMAGE, kindOf, textOf } from './kind.js';

const utf8 = (text) => new TextEncoder().encode(text);
const PNG = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

test('pictures are told by their bytes, whatever their name says', () => {
  assert.deepEqual(kindOf('x.exe', 100, PNG), { kind: 'image', type: 'image/png' });
  assert.deepEqual(kindOf('x', 100, Uint8Array.of(0xff, 0xd8, 0xff, 0xe0)), { kind: 'image', type: 'image/jpeg' });
  assert.deepEqual(kindOf('x', 100, utf8('RIFF....WEBPVP8 ')), { kind: 'image', type: 'image/webp' });
  assert.deepEqual(kindOf('x.png', MAX_IMAGE + 1, PNG), { kind: 'none' });
});

test('what can run is never more than text', () => {
  for (const [name, text] of [['a.html', '<script>alert(1)</script>'], ['a.svg', '<svg onload="alert(1)"/>'], ['a.png', '<svg xmlns="…">'], ['a.xhtml', '<?xml version="1.0"?>'], ['a.js', 'alert(1)']]) {
    assert.deepEqual(kindOf(name, text.length, utf8(text)), { kind: 'text' }, name);
  }
  assert.deepEqual(kindOf('a.pdf', 100, Uint8Array.of(0x25, 0x50, 0x44, 0x46, 0x2d, 0x00, 0xff)), { kind: 'none' });
});

test('recordings by extension, nothing by nothing', () => {
  assert.deepEqual(kindOf('a.MP4', 5, Uint8Array.of(0, 0, 0, 1)), { kind: 'video', type: 'video/mp4' });
  assert.deepEqual(kindOf('a.flac', 5, Uint8Array.of(0, 0, 0, 1)), { kind: 'audio', type: 'audio/flac' });
  assert.deepEqual(kindOf('a.bin', 5, Uint8Array.of(0, 0, 0, 1)), { kind: 'none' });
  assert.deepEqual(kindOf('a.txt', 0, new Uint8Array()), { kind: 'none' });
});

test('text is UTF-8, and may be cut anywhere', () => {
  const whole = utf8('grün 😀 文件');
  for (let end = 1; end <= whole.length; end += 1) assert.notEqual(textOf(whole.subarray(0, end)), undefined, String(end));
  assert.equal(textOf(Uint8Array.of(0xff, 0xfe, 0x41)), undefined);
  assert.equal(textOf(Uint8Array.of(0x41, 0, 0x42)), undefined);
});
