/**
 * A sequence that the core makes one by one, each when it is asked for. `next` comes to
 * `undefined` after the last. `total` is the number of bytes to come, once it is known.
 *
 * @template [T=any]
 * @typedef {{ next: () => import('./tasks.js').CoreTask<T | undefined>, cancel: () => void,
 *   readonly total: number | undefined }} CorePull
 */

/**
 * A `ReadableStream` over a sequence of the core. Nothing runs ahead in the page: the core is
 * asked for one value whenever the reader wants one, and keeps its own bounded window. An array is
 * several values that came at once.
 *
 * @template T
 * @param {import('./tasks.js').Tasks} tasks
 * @param {() => CorePull<T>} open called at the first read
 * @param {AbortSignal} [signal]
 * @param {(value: T, pull: CorePull<T>) => void} [seen] told of every value before it is given out
 * @returns {ReadableStream<T>}
 */
export function readable (tasks, open, signal, seen) {
  /** @type {CorePull<T> | undefined} */
  let pull
  // Ends the call under way too: while it is, the core's sequence itself cannot be told.
  const over = new AbortController()
  const end = () => {
    signal?.removeEventListener('abort', abort)
    over.abort()
    // After its end the core may be gone, and dropped what it had.
    if (!tasks.closed) pull?.cancel()
  }
  /** @type {() => void} */
  let abort = () => {}
  const stream = new ReadableStream({
    start (controller) {
      abort = () => { end(); controller.error(signal?.reason) }
      if (signal?.aborted) controller.error(signal.reason)
      else signal?.addEventListener('abort', abort)
    },
    async pull (controller) {
      try {
        const value = await tasks.run(() => (pull ??= open()).next(), over.signal)
        if (over.signal.aborted) return
        if (value === undefined) {
          end()
          controller.close()
        } else {
          if (pull) seen?.(value, pull)
          for (const part of /** @type {any[]} */ (Array.isArray(value) ? value : [value])) controller.enqueue(part)
        }
      } catch (error) {
        if (over.signal.aborted) return
        end()
        throw error
      }
    },
    cancel: end
  }, { highWaterMark: 0 })
  return iterable(stream)
}

/**
 * The same stream with `for await`, which Safari's and older Chromium's lack.
 *
 * @template T
 * @param {ReadableStream<T>} stream
 * @returns {ReadableStream<T>}
 */
export function iterable (stream) {
  if (Symbol.asyncIterator in stream) return stream
  const values = (/** @type {{ preventCancel?: boolean }} */ options) => iterate(stream, options)
  const method = { value: values, configurable: true, writable: true }
  return Object.defineProperties(/** @type {any} */ (stream), { values: method, [Symbol.asyncIterator]: method })
}

/**
 * @template T
 * @param {ReadableStream<T>} stream
 * @param {{ preventCancel?: boolean }} [options]
 */
async function * iterate (stream, options) {
  const reader = stream.getReader()
  let over = false
  try {
    while (true) {
      const { done, value } = await reader.read().catch(error => { over = true; throw error })
      if (done) { over = true; return }
      yield value
    }
  } finally {
    if (!over && !options?.preventCancel) await reader.cancel()
    reader.releaseLock()
  }
}
