import assert from 'node:assert/strict';
import test from 'node:test';
import { doing } from './doing.js';

const SEEN = { state: 'looking', running: true, online: true, loaded: 0, peers: 0, asked: 0, named: false, searchedMs: 0, quietMs: 0 };

const CASES = [
  ['the peer is not there yet', { running: false }, /started/],
  ['nobody is connected', {}, /Looking for somebody/],
  ['the link names somebody', { named: true }, /Connecting to whoever/],
  ['two are asked', { peers: 2, named: true }, /asking 2 peers/],
  ['nobody answered', { peers: 1, asked: 1, searchedMs: 4000 }, /Nobody has it so far\. Asked 1 peer /],
  ['more were asked than are left', { asked: 2, searchedMs: 4000, search: { asked: 5, found: 0, connected: 0, failed: 0 } }, /Asked 5 peers/],
  ['somebody was found', { searchedMs: 9000, search: { asked: 1, found: 2, connected: 0, failed: 1 } }, /Connecting to 2 peers that are said/],
  ['all that were found are out of reach', { searchedMs: 9000, search: { asked: 1, found: 1, connected: 0, failed: 1 } }, /1 peer is said to have it, but cannot be reached/],
  ['the network is gone', { online: false }, /offline/],
  ['it moves', { state: 'fetching', quietMs: 500 }, /^$/],
  ['it moves no more', { state: 'fetching', quietMs: 11_000 }, /Nothing has come/],
  ['the holder went in the middle', { state: 'waiting', loaded: 5_000_000 }, /gone\. 5 MB are here/],
  ['the network went in the middle', { state: 'waiting', loaded: 5_000_000, online: false }, /offline/],
];

for (const [name, seen, said] of CASES) {
  test(name, () => assert.match(doing({ ...SEEN, ...seen }), said));
}
