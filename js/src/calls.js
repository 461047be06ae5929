import { AvocetError } from './errors.js'
import { callback, flag, later, signal, text, texts, whole, word } from './options.js'

/**
 * The options of each call, and what they must be.
 *
 * @template T
 * @typedef {import('./options.js').Rule<T>} Rule
 */

const hash = word(['sha2-256', 'sha2-512', 'blake2b-256', 'blake3', 'identity'])

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
  chunker: text,
  layout: word(['balanced', 'trickle']),
  maxLinks: whole(2),
  hash,
  inlineLimit: whole(0, 128),
  hamtThreshold: whole(0),
  hamtSize: word(['block', 'links']),
  hamtFanout: whole(8, 1024),
  wrap: text,
  hidden: flag,
  pin: flag,
  onProgress: callback,
  signal
}

/** `[from, to]`: whole numbers, counted from the end where negative; `to` may be left out. @type {Rule<[number, number | undefined]>} */
const byteRange = (value, name) => {
  const [from, to] = Array.isArray(value) && value.length <= 2 ? value : []
  const end = to === null || to === '*' ? undefined : to
  if (!Number.isSafeInteger(from) || (end !== undefined && !Number.isSafeInteger(end))) {
    throw new AvocetError('INVALID_OPTION',
      `"${name}" is [from, to]: the first and the last byte, counted from the end where negative; without "to", up to the end`)
  }
  return [from, end]
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
export const CAR_IN = { pin: flag, name: text, onProgress: callback, signal }
export const CAR_OUT = { ...FIND, path: text, scope: word(['block', 'entity', 'all']), entityBytes: byteRange, dups: flag }
