import { AvocetError } from './errors.js'
import { callback, flag, later, signal, text, texts, unsupported, whole, word } from './options.js'

/**
 * The options of each call, and what they must be.
 *
 * @template T
 * @typedef {import('./options.js').Rule<T>} Rule
 */

/** The hashes that the contract names and this version does not make. */
const OTHER_HASHES = ['sha2-512', 'blake2b-256', 'blake3', 'identity']

const hash = word(['sha2-256'], value => OTHER_HASHES.includes(value))

/** `size-N`, as the number. @type {Rule<number>} */
const chunker = (value, name) => {
  const [, size] = /^size-([1-9][0-9]*)$/.exec(String(value)) ?? []
  if (size !== undefined) return Number(size)
  if (/^(rabin|buzhash)/.test(String(value))) throw unsupported(`"${name}: ${value}"`)
  throw new AvocetError('INVALID_OPTION', `"${name}" is "size-N" with N bytes a chunk, not "${value}"`)
}

/** @type {Rule<string | URL>} */
const url = (value, name) => {
  if (typeof value === 'string' || value instanceof URL) return value
  throw new AvocetError('INVALID_OPTION', `"${name}" is a URL`)
}

/**
 * As in `RTCConfiguration`, made even: every server with its list of URLs.
 *
 * @type {Rule<{ urls: string[], username: string | undefined, credential: string | undefined }[]>}
 */
const iceServers = (value, name) => {
  const wrong = () => new AvocetError('INVALID_OPTION',
    `"${name}" is an array as in RTCConfiguration: [{ urls, username?, credential? }]`)
  if (!Array.isArray(value)) throw wrong()
  return value.map(server => {
    const urls = Array.isArray(server?.urls) ? server.urls : [server?.urls]
    if (urls.some((/** @type {unknown} */ item) => typeof item !== 'string')) throw wrong()
    return { urls, username: server.username, credential: server.credential }
  })
}

const isEmpty = (/** @type {unknown} */ value) => Array.isArray(value) && value.length === 0

export const START = {
  store: text,
  relays: texts,
  bootstrap: texts,
  routers: later(isEmpty),
  gateways: later(isEmpty),
  iceServers,
  wasmUrl: url,
  signal
}

export const ADD = {
  profile: word(['unixfs-v1-2025', 'unixfs-v0-2015']),
  cidVersion: whole(0, 1),
  rawLeaves: flag,
  chunker,
  layout: word(['balanced'], value => value === 'trickle'),
  maxLinks: whole(2),
  hash,
  inlineLimit: later(value => value === 0),
  hamtThreshold: later(),
  hamtSize: later(),
  hamtFanout: later(),
  wrap: text,
  hidden: flag,
  pin: flag,
  onProgress: callback,
  signal
}

export const SIGNAL = { signal }
export const FIND = { providers: texts, signal }
export const CAT = { ...FIND, offset: whole(0), length: whole(0), onProgress: callback }
export const PIN = { ...FIND, recursive: flag, name: text, onProgress: callback }
export const PUT = {
  codec: word(['raw', 'dag-pb', 'dag-cbor', 'dag-json']),
  hash: word(['sha2-256', 'sha2-512', 'blake2b-256', 'blake3', 'identity']),
  signal
}
export const DAG_PUT = { ...PUT, pin: flag }
