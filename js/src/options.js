import { AvocetError } from './errors.js'

/**
 * One option: takes what the caller gave and its name, gives what is used, throws when it is not
 * what it must be.
 *
 * @template T
 * @typedef {(value: unknown, name: string) => T} Rule
 */

/**
 * Reads the options of a call by its rules. An option that the call does not have is an error: a
 * mistyped one would be ignored in silence otherwise.
 *
 * @template {Record<string, Rule<any>>} R
 * @param {unknown} given
 * @param {R} rules
 * @param {string} call name of the call, for the message
 * @returns {{ [K in keyof R]: ReturnType<R[K]> | undefined }}
 */
export function read (given, rules, call) {
  const out = /** @type {any} */ ({})
  if (given === undefined || given === null) return out
  if (typeof given !== 'object') throw invalid(`${call} takes its options as an object`)
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue
    if (!Object.hasOwn(rules, name)) {
      const known = Object.keys(rules).join(', ') || 'none'
      throw invalid(`${call} has no option "${name}"; it has: ${known}`)
    }
    out[name] = rules[name](value, name)
  }
  return out
}

/** @param {string} message */
const invalid = message => new AvocetError('INVALID_OPTION', message)

/** @type {Rule<boolean>} */
export function flag (value, name) {
  if (typeof value !== 'boolean') throw invalid(`"${name}" is true or false`)
  return value
}

/** @type {Rule<string>} */
export function text (value, name) {
  if (typeof value !== 'string') throw invalid(`"${name}" is a string`)
  return value
}

/**
 * A whole number from `least` to `most`.
 *
 * @param {number} least
 * @param {number} [most]
 * @returns {Rule<number>}
 */
export function whole (least, most = Number.MAX_SAFE_INTEGER) {
  return (value, name) => {
    if (!Number.isSafeInteger(value) || Number(value) < least || Number(value) > most) {
      throw invalid(`"${name}" is a whole number from ${least} to ${most}`)
    }
    return Number(value)
  }
}

/** @type {Rule<string[]>} */
export function texts (value, name) {
  if (!Array.isArray(value) || value.some(item => typeof item !== 'string')) {
    throw invalid(`"${name}" is an array of strings`)
  }
  return value
}

/** @type {Rule<Function>} */
export function callback (value, name) {
  if (typeof value !== 'function') throw invalid(`"${name}" is a function`)
  return value
}

/** @type {Rule<AbortSignal>} */
export function signal (value, name) {
  const given = /** @type {any} */ (value)
  if (typeof given?.aborted !== 'boolean' || typeof given.addEventListener !== 'function') {
    throw invalid(`"${name}" is an AbortSignal`)
  }
  return given
}

/**
 * One of a few words.
 *
 * @param {string[]} words
 * @returns {Rule<string>}
 */
export function word (words) {
  return (value, name) => {
    if (typeof value === 'string' && words.includes(value)) return value
    throw invalid(`"${name}" is one of: ${words.join(', ')}`)
  }
}

/**
 * An option that exists in the contract and is not built yet. Its neutral value is let through.
 *
 * @param {(value: unknown) => boolean} [neutral]
 * @returns {Rule<undefined>}
 */
export function later (neutral = () => false) {
  return (value, name) => {
    if (!neutral(value)) throw unsupported(`"${name}"`)
    return undefined
  }
}

/** @param {string} what */
function unsupported (what) {
  return new AvocetError('UNSUPPORTED', `${what} is not supported by this version`)
}
