import assert from 'node:assert/strict';
import test from 'node:test';
import { fromFiles, fromText } from './drop.js';

/** A file as an input gives it; Node's File knows no relative path. */
function picked(path, size = 3) {
  const folder = path.includes('/');
  return Object.assign(new File(['x'.repeat(size)], path.split('/').at(-1)), { webkitRelativePath: folder ? path : '' });
}

const read = (source) => source.read(new AbortController().signal);
const paths = ({ input }) => input.map(({ path }) => path);

test('a lone file stays a file', async () => {
  const source = fromFiles([picked('.env')]);
  const content = await read(source);
  assert.equal(source.name, '.env');
  assert.ok(content.input instanceof File);
  assert.equal(content.size, 3);
});

test('nothing is no source', () => assert.equal(fromFiles([]), undefined));

test('a folder is that folder, not one around it, and its hidden files are left out and counted', async () => {
  const source = fromFiles([picked('trip/a.txt'), picked('trip/sub/b.txt', 5), picked('trip/.git/config'), picked('trip/sub/.b')]);
  const content = await read(source);
  assert.equal(source.name, 'trip');
  assert.deepEqual(paths(content), ['a.txt', 'sub/b.txt']);
  assert.deepEqual([content.size, content.leftOut, content.hidden], [8, 2, false]);
});

test('files picked one by one become a folder that has all of them, each name once', async () => {
  const content = await read(fromFiles([picked('a.tar.gz'), picked('image.png'), picked('image.png'), picked('.hidden')]));
  assert.deepEqual(paths(content), ['a.tar.gz', 'image.png', 'image (2).png', '.hidden']);
  assert.deepEqual([content.name, content.hidden, content.leftOut], ['4 files', true, 0]);
});

test('text becomes a file', async () => {
  const { input } = await read(fromText('grün'));
  assert.equal(await input.text(), 'grün');
  assert.equal(input.name, 'note.txt');
});
