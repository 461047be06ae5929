// Share links, made and read: <page>#/ipfs/<cid>[/<path>]?name=…&from=…
// Nothing after `#` reaches a server. Reading also takes what people have in their clipboard: a bare CID, an IPFS
// path, an ipfs:// address, or the address of a gateway.

/** A CID has at most 168 bytes, which hexadecimal (the longest usual spelling) doubles. */
const MAX_CID_CHARS = 1 + 2 * 168;
/** A `from` of a link is a multiaddr; the longest honest ones (certificate hashes) stay well below this. */
const MAX_FROM_CHARS = 1024;
/** More addresses than this in one link help nobody, and each costs a dial. */
const MAX_FROM = 16;
/** As many characters of a name as a link may carry; names in UnixFS end at 255 bytes nearly everywhere. */
const MAX_NAME_CHARS = 1024;
/** A phone's camera reads a QR code of this many characters with ease. */
export const QR_MAX_CHARS = 500;
/** Addresses in a QR code. */
export const QR_MAX_FROM = 5;

/** CIDv0, and the multibase spellings of CIDv1 that are in use. Case is not mixed in base32, base36 and hexadecimal. */
const CID = /^(Qm[1-9A-HJ-NP-Za-km-z]{44}|b[a-z2-7]{4,}|B[A-Z2-7]{4,}|v[0-9a-v]{4,}|V[0-9A-V]{4,}|k[0-9a-z]{4,}|K[0-9A-Z]{4,}|z[1-9A-HJ-NP-Za-km-z]{4,}|[f][0-9a-f]{8,}|F[0-9A-F]{8,}|h[ybndrfg8ejkmcpqxot1uwisza345h769]{4,}|[mu][A-Za-z0-9+_-]{4,}|[MU][A-Za-z0-9+_-]{4,}=*)$/;

/**
 * What a link says.
 * @typedef {object} Link
 * @property {string} cid
 * @property {string[]} path segments below it, decoded
 * @property {string} [name]
 * @property {string[]} from multiaddrs of who has it
 */

/** Text that is no link. `code` is one of the package's error codes. */
export class LinkError extends Error {
  /**
   * @param {'INVALID_CID' | 'INVALID_PATH' | 'UNSUPPORTED'} code
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.name = 'LinkError';
    this.code = code;
  }
}

/**
 * The hash part, `#` included.
 * @param {{ cid: string, path?: string[], name?: string, from?: string[] }} link
 */
export function makeHash({ cid, path = [], name, from = [] }) {
  const place = [cid, ...path].map(encodeURIComponent).join('/');
  const query = [];
  if (name) query.push(`name=${encodeURIComponent(wellFormed(name))}`);
  for (const address of from) query.push(`from=${encodeURIComponent(address)}`);
  return `#/ipfs/${place}${query.length ? `?${query.join('&')}` : ''}`;
}

/**
 * The whole link.
 * @param {string} page address of the page; its own hash is dropped
 * @param {Parameters<typeof makeHash>[0]} link
 */
export function makeLink(page, link) {
  return page.split('#')[0] + makeHash(link);
}

/**
 * The same link, short enough for a QR code: direct addresses first, then as many as fit; the name goes last.
 * `undefined` when not even the bare link fits.
 * @param {string} page
 * @param {Parameters<typeof makeHash>[0]} link
 */
export function makeQrLink(page, { cid, path, name, from = [] }) {
  const relayed = (/** @type {string} */ address) => address.includes('/p2p-circuit');
  const best = [...from.filter((a) => !relayed(a)), ...from.filter(relayed)].slice(0, QR_MAX_FROM);
  for (const shown of [name, undefined]) {
    for (let count = best.length; count >= (shown && best.length ? 1 : 0); count -= 1) {
      const text = makeLink(page, { cid, path, name: shown, from: best.slice(0, count) });
      if (text.length <= QR_MAX_CHARS) return text;
    }
  }
  return undefined;
}

/**
 * Whether a hash of the page's address is meant as a link.
 * @param {string} hash
 */
export function isLinkHash(hash) {
  return /^#\/?ip[fn]s\//.test(hash);
}

/**
 * Reads a link, a path, an address or a bare CID.
 * @param {string} text
 * @returns {Link}
 * @throws {LinkError}
 */
export function parseLink(text) {
  const trimmed = text.trim();
  if (trimmed === '') throw new LinkError('INVALID_CID', 'There is nothing to open: the field is empty.');
  const { place, query } = split(trimmed);
  return { ...parsePlace(place), ...parseQuery(query) };
}

/**
 * Whether pasted text is so surely a link that it is opened and not shared as a note.
 * @param {string} text
 */
export function looksLikeLink(text) {
  const trimmed = text.trim();
  if (/\s/.test(trimmed)) return false;
  if (!/\/ipfs\/|^ipfs:\/\//.test(trimmed) && trimmed.length < 46) return false;
  try {
    parseLink(trimmed);
    return true;
  } catch {
    return false;
  }
}

/** Finds the part from the CID on, and the query. */
function split(/** @type {string} */ text) {
  const hash = text.indexOf('#');
  if (hash >= 0 && isLinkHash(text.slice(hash))) return cutQuery(text.slice(hash + 1).replace(/^\//, ''));
  if (/^https?:\/\//i.test(text)) return splitGateway(text);
  const scheme = /^(ipfs|ipns):\/\/?/i.exec(text) ?? /^dweb:\/?(ipfs|ipns)\//i.exec(text);
  if (scheme) return cutQuery(`${scheme[1].toLowerCase()}/${text.slice(scheme[0].length).split('#')[0]}`);
  const path = text.replace(/^\//, '');
  return cutQuery(/^ip[fn]s\//.test(path) ? path : `ipfs/${path}`);
}

/** `https://host/ipfs/<cid>/…` and `https://<cid>.ipfs.host/…` */
function splitGateway(/** @type {string} */ text) {
  let url;
  try {
    url = new URL(text);
  } catch {
    throw new LinkError('INVALID_CID', 'This is not a link that can be read. Copy the whole link and paste it again.');
  }
  const sub = /^([a-z0-9]+)\.(ipfs|ipns)\./i.exec(url.hostname);
  if (sub) return { place: `${sub[2]}/${sub[1]}${url.pathname}`, query: url.search.slice(1) };
  const at = /\/(ip[fn]s\/.*)$/.exec(url.pathname);
  if (at) return { place: at[1], query: url.search.slice(1) };
  throw new LinkError('INVALID_CID', 'This address holds no CID. A link to a file has “#/ipfs/…” in it.');
}

function cutQuery(/** @type {string} */ text) {
  const at = text.indexOf('?');
  return at < 0 ? { place: text, query: '' } : { place: text.slice(0, at), query: text.slice(at + 1) };
}

function parsePlace(/** @type {string} */ place) {
  const [kind, cid, ...rest] = place.split('/');
  if (kind === 'ipns') throw new LinkError('UNSUPPORTED', 'Names (“/ipns/…”) cannot be opened yet. Ask for a link that has “/ipfs/” in it.');
  const plain = decode(cid ?? '');
  if (plain === '') throw new LinkError('INVALID_CID', 'The link ends before its CID. Copy the whole link and paste it again.');
  if (plain.length > MAX_CID_CHARS || !CID.test(plain)) {
    throw new LinkError('INVALID_CID', `“${plain.slice(0, 80)}” is no CID. Copy the whole link and paste it again.`);
  }
  if (rest.at(-1) === '') rest.pop();
  return { cid: plain, path: rest.map(segment) };
}

function segment(/** @type {string} */ raw) {
  const plain = decode(raw);
  if (plain === '' || plain === '.' || plain === '..' || /[/\0]/.test(plain)) {
    throw new LinkError('INVALID_PATH', 'The path in this link leads nowhere: it has an empty part, “.”, “..”, “/” or a zero byte in a name.');
  }
  return plain;
}

function parseQuery(/** @type {string} */ query) {
  /** @type {{ name?: string, from: string[] }} */
  const out = { from: [] };
  for (const pair of query.split('&')) {
    const at = pair.indexOf('=');
    if (at < 0) continue;
    const value = decode(pair.slice(at + 1));
    const field = pair.slice(0, at);
    if ((field === 'name' || field === 'filename') && value) out.name ??= value.slice(0, MAX_NAME_CHARS);
    const wanted = field === 'from' && value.startsWith('/') && value.length <= MAX_FROM_CHARS;
    if (wanted && out.from.length < MAX_FROM && !out.from.includes(value)) out.from.push(value);
  }
  return out;
}

/** Percent-encoding undone; text that was never encoded stays as it is. */
function decode(/** @type {string} */ text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** `encodeURIComponent` throws on half a surrogate pair. */
function wellFormed(/** @type {string} */ text) {
  return text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd');
}
