import assert from 'node:assert/strict';
import test from 'node:test';
import { LinkError, QR_MAX_CHARS, isLinkHash, looksLikeLink, makeHash, makeLink, makeQrLink, parseLink } from './link.js';

const V0 = 'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPbdG';
const V1 = 'bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi';
const RELAYED = '/ip4/127.0.0.1/tcp/8081/ws/p2p/12D3KooWRelay/p2p-circuit/webrtc/p2p/12D3KooWMe';
const DIRECT = '/ip4/192.0.2.7/udp/4001/webrtc-direct/certhash/uEiA/p2p/12D3KooWMe';
const PAGE = 'http://127.0.0.1:8080/';

/** Names that a link must carry unharmed. */
const NAMES = ['film.mp4', 'a b', '100%.txt', '50%25', 'a&b=c?d#e', 'дом.txt', '😀', '<b>x</b>', 'a/b', '..', 'x\u202egpj.exe', '\u0000', 'ä'.repeat(127)];

test('a link comes back as it was made', () => {
  for (const name of NAMES) {
    const link = { cid: V1, path: [], name, from: [RELAYED, DIRECT] };
    assert.deepEqual(parseLink(makeLink(PAGE, link)), link, name);
    assert.deepEqual(parseLink(makeHash(link)), link, name);
  }
});

test('path segments come back as they were made', () => {
  for (const name of NAMES.filter((n) => n !== '..' && !/[/\0]/.test(n))) {
    const link = { cid: V0, path: ['dir', name], name: 'n', from: [] };
    assert.deepEqual(parseLink(makeLink(PAGE, link)), link, name);
  }
});

test('the page keeps its own address and loses its own hash', () => {
  assert.equal(makeLink('https://x.example/a/?b=1#/ipfs/old', { cid: V1 }), `https://x.example/a/?b=1#/ipfs/${V1}`);
});

test('everything people have in their clipboard is read', () => {
  const cases = [V1, ` ${V1}\n`, `/ipfs/${V1}`, `ipfs/${V1}/`, `ipfs://${V1}`, `dweb:/ipfs/${V1}`, `#/ipfs/${V1}`,
    `https://gateway.example/ipfs/${V1}`, `https://${V1}.ipfs.gateway.example/`, `${PAGE}#/ipfs/${V1}?`];
  for (const text of cases) assert.deepEqual(parseLink(text), { cid: V1, path: [], from: [] }, text);
  assert.deepEqual(parseLink(`https://gateway.example/ipfs/${V0}/a%20b?filename=c`), { cid: V0, path: ['a b'], name: 'c', from: [] });
  assert.deepEqual(parseLink(`${V0}/100% sure`).path, ['100% sure']);
});

test('what is no link is refused with a code', () => {
  for (const text of ['', '   ', 'hello world', 'https://example.org/', 'https://', `${V0}x`, V0.slice(0, 45), V0.replace('Y', '0'),
    V1.slice(0, 10) + V1.slice(10).toUpperCase(), '/ipfs/', '#/ipfs/?name=x', 'b' + 'a'.repeat(400), 'javascript:alert(1)', '<img src=x>']) {
    assert.throws(() => parseLink(text), (e) => e instanceof LinkError && e.code === 'INVALID_CID', text);
  }
  assert.throws(() => parseLink('/ipns/example.org'), (e) => e.code === 'UNSUPPORTED');
});

test('path_01_a_path_never_leaves_its_root', () => {
  for (const path of ['../../x', '%2e%2e/x', '%2E%2e%2Fx', '%2e%2e%2f%2e%2e%2fx', './x', '%2e/x', 'a//b', '/a', 'a%2fb', 'a%00b', 'a/..', 'a/.']) {
    assert.throws(() => parseLink(`${PAGE}#/ipfs/${V1}/${path}`), (e) => e instanceof LinkError && e.code === 'INVALID_PATH', path);
    assert.throws(() => parseLink(`${V1}/${path}`), (e) => e.code === 'INVALID_PATH', path);
  }
});

test('what a stranger puts into the query is bounded', () => {
  const from = Array.from({ length: 100 }, (_, i) => `from=${encodeURIComponent(`/ip4/192.0.2.${i}`)}`).join('&');
  assert.equal(parseLink(`${PAGE}#/ipfs/${V1}?${from}`).from.length, 16);
  assert.equal(parseLink(`${PAGE}#/ipfs/${V1}?name=${'x'.repeat(9999)}`).name?.length, 1024);
  assert.deepEqual(parseLink(`${PAGE}#/ipfs/${V1}?from=javascript:1&from=&from=/${'x'.repeat(2000)}&from=/ip4/1&from=/ip4/1&x&=`).from, ['/ip4/1']);
  assert.equal(parseLink(`${PAGE}#/ipfs/${V1}?name=%E0%A4%A`).name, '%E0%A4%A');
});

test('a QR code gets a short link, direct addresses first', () => {
  const few = makeQrLink(PAGE, { cid: V1, name: 'a.txt', from: [RELAYED, DIRECT] });
  assert.deepEqual(parseLink(few), { cid: V1, path: [], name: 'a.txt', from: [DIRECT, RELAYED] });
  const many = makeQrLink(PAGE, { cid: V1, name: 'a.txt', from: Array.from({ length: 30 }, (_, i) => `/ip4/192.0.2.${i}`) });
  assert.equal(parseLink(many).from.length, 5);
  const long = makeQrLink(PAGE, { cid: V1, name: 'ä'.repeat(120), from: [RELAYED, RELAYED + 'x'] });
  assert.ok(long.length <= QR_MAX_CHARS);
  assert.equal(parseLink(long).name, undefined, 'an address is worth more than a name');
  assert.ok(parseLink(long).from.length >= 1);
  assert.equal(makeQrLink(`https://${'x'.repeat(600)}/`, { cid: V1 }), undefined);
});

test('only link hashes are taken for links, only sure links are opened by pasting', () => {
  assert.ok(isLinkHash(`#/ipfs/${V1}`) && !isLinkHash('#peers') && !isLinkHash(''));
  assert.ok(looksLikeLink(V1) && looksLikeLink(`${PAGE}#/ipfs/${V1}`) && looksLikeLink(`/ipfs/${V0}`));
  for (const text of ['banana', 'see /ipfs/ for more', `my note: ${V1}`, 'https://example.org/x']) assert.ok(!looksLikeLink(text), text);
});

test('half a surrogate pair in a name does not break the link', () => {
  assert.equal(parseLink(makeHash({ cid: V1, name: 'a\ud800b' })).name, 'a\ufffdb');
});
