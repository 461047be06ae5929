import assert from 'node:assert/strict';
import test from 'node:test';
import { Transfers } from './transfers.js';

function scene() {
  const host = new EventTarget();
  const transfers = new Transfers(host);
  const tell = (type, detail) => host.dispatchEvent(Object.assign(new Event(type), { detail }));
  return { transfers, tell };
}

test('one row for each downloader, added up', () => {
  const { transfers, tell } = scene();
  assert.equal(transfers.sending, false);
  tell('sent', { cid: 'x', root: 'film', bytes: 10, peer: 'a' });
  tell('sent', { cid: 'y', root: 'film', bytes: 5, peer: 'b' });
  tell('sent', { cid: 'z', root: 'film', bytes: 7, peer: 'a' });
  tell('sent', { cid: 'z', root: 'other', bytes: 1, peer: 'c' });
  assert.deepEqual(transfers.downloaders('film').map(({ peer, bytes }) => [peer, bytes]), [['a', 17], ['b', 5]]);
  assert.equal(transfers.fetching('film'), 2);
  assert.equal(transfers.sending, true);
});

test('what is sent without a known root counts for what is looked at', () => {
  const { transfers, tell } = scene();
  tell('sent', { cid: 'x', bytes: 10, peer: 'a' });
  assert.equal(transfers.downloaders('film').length, 1);
  assert.equal(transfers.fetching('film'), 0, 'but nobody claims to know it');
});

test('sources are told apart from downloaders', () => {
  const { transfers, tell } = scene();
  tell('received', { cid: 'x', root: 'film', bytes: 10, peer: 'a' });
  assert.deepEqual(transfers.sources('film').map(({ peer }) => peer), ['a']);
  assert.equal(transfers.sources('other').length, 0);
  assert.equal(transfers.downloaders('film').length, 0);
});

test('a crowd of peers is bounded', () => {
  const { transfers, tell } = scene();
  for (let i = 0; i < 1000; i += 1) tell('sent', { cid: 'x', root: 'film', bytes: 1, peer: `p${i}` });
  assert.equal(transfers.downloaders('film').length, 200);
});
