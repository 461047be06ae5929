// What a failure means for the person in front of the page: what went wrong, what to do, and what button helps.

import { errors } from './strings.js';

/**
 * @typedef {object} Explanation
 * @property {string} code
 * @property {string} title what went wrong
 * @property {string} detail the message of the package, which names the thing; may be ''
 * @property {string} todo what to do about it
 * @property {boolean} retry whether trying again may help
 * @property {boolean} restart whether the peer has to be started anew
 */

/** Messages may quote what a stranger sent. */
const MAX_DETAIL = 500;

/** Trying the same once more can end differently. */
const RETRY = new Set(['NOT_FOUND', 'CORRUPT', 'QUOTA', 'TIMEOUT', 'OFFLINE', 'UNREACHABLE', 'STORAGE', 'NOT_LOADED', 'UNKNOWN']);

/** The peer is of no more use. */
const RESTART = new Set(['INTERNAL', 'STOPPED']);

/** Somebody who has it may still appear: an open goes on looking until it is cancelled. */
const WAIT = new Set(['NOT_FOUND', 'TIMEOUT', 'OFFLINE', 'UNREACHABLE']);

/** The browser's own errors, by name. */
const PLATFORM = new Map([
  ['NotReadableError', 'FILE_CHANGED'],
  ['NotFoundError', 'FILE_CHANGED'],
  ['QuotaExceededError', 'QUOTA'],
  ['NoModificationAllowedError', 'STORAGE'],
  ['InvalidStateError', 'STORAGE'],
  ['NetworkError', 'NOT_LOADED'],
  ['ChunkLoadError', 'NOT_LOADED'],
  ['RuntimeError', 'INTERNAL'],
]);

/**
 * The code of any failure, `UNKNOWN` where there is none.
 * @param {unknown} error
 */
export function codeOf(error) {
  const { code, name } = /** @type {{ code?: unknown, name?: string }} */ (error ?? {});
  if (typeof code === 'string' && Object.hasOwn(errors, code)) return code;
  return PLATFORM.get(name ?? '') ?? 'UNKNOWN';
}

/**
 * What the failure says of itself, '' where it says nothing.
 * @param {unknown} error
 */
export function messageOf(error) {
  const message = /** @type {{ message?: unknown } | undefined} */ (error)?.message;
  return typeof message === 'string' ? message.slice(0, MAX_DETAIL) : '';
}

/** @param {unknown} error */
export function isAbort(error) {
  return /** @type {{ name?: string } | undefined} */ (error)?.name === 'AbortError';
}

/** @param {unknown} error */
export function isWorthWaiting(error) {
  return WAIT.has(codeOf(error));
}

/**
 * @param {unknown} error
 * @returns {Explanation}
 */
export function explain(error) {
  const code = codeOf(error);
  const { title, todo } = errors[code];
  return {
    code,
    title,
    detail: messageOf(error),
    todo,
    retry: RETRY.has(code),
    restart: RESTART.has(code),
  };
}
