import assert from 'node:assert/strict';
import test from 'node:test';
import { Names, extension, safeName, shortId, shownName } from './names.js';

const size = (text) => new TextEncoder().encode(text).length;
const isSafe = (name) => name !== '' && !/[/\\:*?"<>|\u0000-\u001f\u007f\u202a-\u202e\u2066-\u2069]/.test(name) && !/[. ]$/.test(name) && size(name) <= 255;

test('ordinary names stay as they are', () => {
  for (const name of ['a.txt', 'Ünïcödé 文件.tar.gz', '.hidden', '..twodots', 'a b', '👨‍👩‍👧.png', "it's", 'x'.repeat(255), 'ä'.repeat(127)]) {
    assert.equal(safeName(name), name);
  }
});

test('dir_02_dots_and_nothing_are_no_names', () => {
  for (const name of ['', '.', '..', '...', ' ', '. .', '/', '\\', '/..']) assert.equal(safeName(name, 'fallback'), 'fallback', JSON.stringify(name));
});

test('dir_03_a_name_never_becomes_a_path', () => {
  for (const name of ['../../evil', 'a/b', '..\\evil', '/etc/passwd', 'C:\\x', '\\\\host\\share', 'a\0/b']) assert.ok(isSafe(safeName(name)), name);
});

test('dir_04_controls_and_length', () => {
  assert.equal(safeName('a\u0000b\nc\rd.txt'), 'a_b_c_d.txt');
  assert.equal(safeName('x\u202egpj.exe'), 'x_gpj.exe');
  const long = safeName(`${'é'.repeat(40_000)}.tar`);
  assert.ok(isSafe(long) && long.endsWith('.tar') && size(long) >= 250);
  assert.ok(isSafe(safeName('😀'.repeat(200))));
});

test('devices of Windows are no file names', () => {
  for (const name of ['CON', 'nul.txt', 'Com1', 'lpt9.tar.gz', 'aux.']) assert.match(safeName(name), /^_/, name);
  for (const name of ['console.txt', 'com10', 'null']) assert.equal(safeName(name), name);
});

test('dir_01_two_entries_never_share_a_name', () => {
  const names = new Names();
  const taken = ['a.txt', 'a.txt', 'A.TXT', 'a (2).txt', '..', '.', 'x/y', 'x_y', 'ä', 'a\u0308'].map((n) => names.take(n));
  assert.equal(new Set(taken.map((n) => n.normalize('NFC').toLowerCase())).size, taken.length, taken.join());
  assert.equal(taken[1], 'a (2).txt');
  const long = new Names();
  for (let i = 0; i < 12; i += 1) assert.ok(isSafe(long.take(`${'ä'.repeat(126)}.gz`)));
});

test('any name becomes a safe one, and safe names stay (seeded)', () => {
  let seed = 42;
  const random = (n) => (seed = (seed * 1103515245 + 12345) % 2147483648) % n;
  const alphabet = [...'ab./\\: \u0000\n\u202e"<>|?*é文', '😀', '\ud800', '..', 'CON'];
  for (let i = 0; i < 5000; i += 1) {
    const name = Array.from({ length: random(300) }, () => alphabet[random(alphabet.length)]).join('');
    const safe = safeName(name);
    assert.ok(isSafe(safe), JSON.stringify([name, safe]));
    assert.equal(safeName(safe), safe, JSON.stringify([name, safe]));
  }
});

test('dir_05_what_is_shown_hides_nothing', () => {
  assert.equal(shownName('<b>x</b>'), '<b>x</b>', 'as text: the templates make no markup of it');
  assert.equal(shownName('a\u0000b\n'), 'a[U+0000]b[U+000A]');
  assert.equal(shownName('x\u202egpj.exe'), 'x[U+202E]gpj.exe');
  assert.equal(shownName('a\u200bb'), 'a[U+200B]b');
  assert.equal(shownName('👨‍👩‍👧'), '👨‍👩‍👧');
  assert.equal(shownName(''), '(no name)');
  assert.ok(shownName('x'.repeat(65_536)).length <= 250);
});

test('helpers', () => {
  assert.deepEqual(['a.TXT', 'a', '.bashrc', 'a.tar.gz', 'a.'].map(extension), ['txt', '', '', 'gz', '']);
  assert.equal(shortId('12D3KooWAbCdEfGhIjKlMn'), '12D3Ko…IjKlMn');
  assert.equal(shortId('short'), 'short');
});
