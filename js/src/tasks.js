import { AvocetError, fromCore, isTrap } from './errors.js'

/**
 * A call under way in the core: what it comes to, and the way to end it before. It holds what it
 * came to until it is freed, and that may be megabytes.
 *
 * @template [T=any]
 * @typedef {{ promise: Promise<T>, cancel: () => void, free: () => void }} CoreTask
 */

/**
 * The calls under way of one peer. Each ends exactly once: with what the core answers, by its
 * signal, or because the peer itself ended.
 */
export class Tasks {
  /** @type {Set<{ fail: (error: unknown) => void, cancel: () => void }>} */
  #open = new Set()
  /** @type {AvocetError | undefined} */
  #closed
  #alive = true
  /** @type {(error: AvocetError) => void} */
  #onTrap

  /** @param {(error: AvocetError) => void} [onTrap] told when the wasm code trapped */
  constructor (onTrap = () => {}) {
    this.#onTrap = onTrap
  }

  /** Why no call can be made any more, if so. */
  get closed () { return this.#closed }

  /**
   * Starts a call of the core and waits for it.
   *
   * @template T
   * @param {() => CoreTask<T>} begin
   * @param {AbortSignal} [signal] ends the call; the promise then rejects with `signal.reason`
   * @returns {Promise<T>}
   */
  run (begin, signal) {
    if (signal?.aborted) return Promise.reject(signal.reason)
    if (this.#closed) return Promise.reject(this.#closed)
    return new Promise((resolve, reject) => {
      /** @type {CoreTask<T> | undefined} */
      let task
      const settle = () => {
        this.#open.delete(call)
        signal?.removeEventListener('abort', abort)
        if (this.#alive) task?.free()
        task = undefined
      }
      /** @param {unknown} error */
      const fail = error => { settle(); reject(error) }
      const cancel = () => task?.cancel()
      const call = { fail, cancel }
      const abort = () => { cancel(); fail(signal?.reason) }
      this.#open.add(call)
      signal?.addEventListener('abort', abort)
      try {
        task = begin()
        task.promise.then(value => { settle(); resolve(value) }, thrown => fail(this.read(thrown)))
      } catch (thrown) {
        fail(this.read(thrown))
      }
    })
  }

  /**
   * What the core threw, as an error of ours; a trap ends everything.
   *
   * @param {unknown} thrown
   */
  read (thrown) {
    const error = fromCore(thrown)
    if (isTrap(thrown)) {
      this.#alive = false
      this.#onTrap(error)
    }
    return error
  }

  /**
   * Ends every call under way, and every later one, with `error`.
   *
   * @param {AvocetError} error
   * @param {boolean} [alive] whether the core can still be told
   */
  close (error, alive = true) {
    if (this.#closed) return
    this.#closed = error
    this.#alive &&= alive
    for (const { fail, cancel } of [...this.#open]) {
      if (this.#alive) cancel()
      fail(error)
    }
  }
}

/**
 * What is waited for goes on, for the next one who asks.
 *
 * @template T
 * @param {Promise<T>} promise
 * @param {AbortSignal} [signal]
 * @returns {Promise<T>}
 */
export function unlessAborted (promise, signal) {
  if (!signal) return promise
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
