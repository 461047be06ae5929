import init, * as core from '../pkg/avocet.js'
import { AvocetError, isTrapOf } from './errors.js'

/** @type {Promise<typeof core> | undefined} */
let loading

/** Why the core died, if it did: its memory cannot be relied on any more. */
/** @type {AvocetError | undefined} */
let dead

/** @type {Set<(error: AvocetError) => void>} */
const mourners = new Set()

/**
 * The compiled core. It is loaded once for the page, whoever asks first says from where.
 *
 * @param {string | URL} [url]
 * @returns {Promise<typeof core>}
 */
export function load (url) {
  if (dead) return Promise.reject(dead)
  loading ??= start(url ?? new URL('../pkg/avocet_bg.wasm', import.meta.url))
  return loading
}

/** @param {string | URL} url */
async function start (url) {
  try {
    await init({ module_or_path: url })
  } catch (cause) {
    loading = undefined
    throw new AvocetError('UNREACHABLE',
      `the wasm file could not be loaded from ${url}: ${/** @type {any} */ (cause)?.message ?? cause}`, { cause })
  }
  watch(String(url))
  return core
}

/**
 * A panic of the core is a trap, without words: what they would take is not in the wasm. One that nobody called for
 * (the core runs by events of the browser, mostly) shows as an error of the page that nobody caught.
 *
 * @param {string} url of our wasm: another's trap is not ours
 */
function watch (url) {
  const see = (/** @type {unknown} */ thrown) => {
    if (isTrapOf(url, thrown)) die(new AvocetError('INTERNAL', 'the core failed and cannot go on; reload the page', { cause: thrown }))
  }
  addEventListener('error', event => see(event.error))
  addEventListener('unhandledrejection', event => see(event.reason))
}

/**
 * The core trapped: every peer of the page ends.
 *
 * @param {AvocetError} error
 */
export function die (error) {
  if (dead) return
  dead = error
  for (const told of [...mourners]) told(error)
}

/**
 * Be told when the core dies.
 *
 * @param {(error: AvocetError) => void} told
 * @returns {() => void} ends it
 */
export function mourn (told) {
  mourners.add(told)
  return () => { mourners.delete(told) }
}
