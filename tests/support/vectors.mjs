// The published import vectors as `add` takes them. Content of some size is served, not sent along.
import { createCipheriv, createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from './paths.mjs'

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz01234567890-_'
const MIB = 1024 * 1024
/** What is larger goes over HTTP. */
const INLINE = 1024

/**
 * The vectors of a tier, and what has to be served for them.
 *
 * @param {string} tier
 */
export async function vectors (tier) {
  const file = JSON.parse(await readFile(join(ROOT, 'crates/dag/tests/vectors/unixfs.json'), 'utf8'))
  /** @type {Record<string, { type: string, body: Buffer }>} */
  const routes = {}
  const served = body => {
    const url = `/input/${Object.keys(routes).length}`
    routes[url] = { type: 'application/octet-stream', body }
    return url
  }
  const found = file.vectors.filter(vector => vector.tier === tier).map(vector => ({
    name: vector.name,
    options: optionsOf(vector.params),
    directory: vector.input.kind === 'dir' || vector.input.kind === 'generated_dir',
    entries: [...entriesOf(vector.input, '', served)],
    expected: vector.expected_root_cid,
    upgraded: vector.compare === 'cid-v1-upgraded',
    children: Object.entries(vector.expected_child_cids ?? {})
  }))
  return { vectors: found, routes }
}

function optionsOf (params) {
  return {
    cidVersion: params.cid_version,
    rawLeaves: params.raw_leaves,
    chunker: params.chunker,
    // what MFS writes is a trickle, whatever the vector says of balance: see its note
    layout: params.mfs_write ? 'trickle' : params.layout,
    maxLinks: params.max_links,
    hash: params.hash,
    inlineLimit: params.inline_limit ?? 0,
    hamtThreshold: params.hamt_threshold_bytes,
    hamtSize: { 'block-bytes': 'block', 'links-bytes': 'links' }[params.hamt_size_estimation],
    hamtFanout: params.hamt_fanout,
    hidden: true
  }
}

function * entriesOf (input, path, served) {
  const { mode, mtime } = input
  const meta = { mode, mtime: mtime && { secs: mtime[0], nsecs: mtime[1] } }
  if (input.kind === 'dir' || input.kind === 'generated_dir') {
    yield { path: `${path}/`, ...meta }
    const entries = input.kind === 'dir' ? Object.entries(input.entries) : generated(input)
    for (const [name, child] of entries) yield * entriesOf(child, path === '' ? name : `${path}/${name}`, served)
  } else if (input.kind === 'symlink') {
    yield { path, symlink: input.target, ...meta }
  } else if (input.kind === 'link') {
    yield { path, cid: input.cid, tsize: input.tsize }
  } else {
    const bytes = contentOf(input)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const content = bytes.length > INLINE ? { url: served(bytes) } : { bytes: Array.from(bytes) }
    yield { path, content, sha256, ...meta }
  }
}

function contentOf (input) {
  switch (input.kind) {
    case 'utf8': return Buffer.from(input.text)
    case 'hex': return Buffer.from(input.hex, 'hex')
    case 'repeat': return Buffer.alloc(input.count, input.byte)
    case 'chacha20': return keystream(input.seed, input.count)
    default: throw new Error(`unknown input ${input.kind}`)
  }
}

function keystream (seed, count) {
  const key = createHash('sha256').update(seed).digest()
  return createCipheriv('chacha20', key, Buffer.alloc(16)).update(Buffer.alloc(count))
}

/** The entries of a directory that is given by a rule. */
function * generated (input) {
  if (input.rule === 'sequence') {
    const fill = (format, i) => format.replaceAll('{i:06d}', String(i).padStart(6, '0')).replaceAll('{i}', String(i))
    for (let i = input.start; i < input.start + input.count; i++) {
      yield [fill(input.name_format, i), { kind: 'utf8', text: fill(input.content_format, i) }]
    }
    return
  }
  if (input.rule !== 'kubo_createDeterministicFiles') throw new Error(`unknown rule ${input.rule}`)
  const stream = keystream(input.seed, MIB)
  let at = 0
  for (let i = 0; i < input.count; i++) {
    const length = i + 1 === input.count ? input.last_name_len : input.name_len
    const name = Array.from(stream.subarray(at, at += length), byte => ALPHABET[byte % ALPHABET.length]).join('')
    yield [name, input.content]
  }
}

/** A CID of version 0 as one of version 1. */
export function upgrade (cid) {
  const digits = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
  const number = Array.from(cid).reduce((sum, digit) => sum * 58n + BigInt(digits.indexOf(digit)), 0n)
  const bits = BigInt(`0x0170${number.toString(16).padStart(68, '0')}`).toString(2).padStart(36 * 8, '0')
  const groups = bits.padEnd(Math.ceil(bits.length / 5) * 5, '0').match(/.{5}/g)
  return 'b' + groups.map(group => 'abcdefghijklmnopqrstuvwxyz234567'[parseInt(group, 2)]).join('')
}
