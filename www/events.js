// The one way in which models tell views that something has changed.

/** Progress is told at most this often, in milliseconds: blocks come faster than anybody reads. */
const PROGRESS_MS = 100;

/** A model: state that views show. It says `change` when they should look again. */
export class Model extends EventTarget {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #soon = undefined;

  changed() {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    this.dispatchEvent(new Event('change'));
  }

  /** For what changes with every block. */
  progressed() {
    this.#soon ??= setTimeout(() => this.changed(), PROGRESS_MS);
  }
}

/**
 * Resolves after `ms`, or sooner when one of `targets` fires one of `types`; rejects when `signal` is aborted.
 * @param {number} ms
 * @param {AbortSignal} signal
 * @param {{ target: EventTarget, types: string[] }[]} [wakers]
 * @returns {Promise<void>}
 */
export function pause(ms, signal, wakers = []) {
  return new Promise((resolve, reject) => {
    const listening = new AbortController();
    const end = (/** @type {() => void} */ settle) => {
      clearTimeout(timer);
      listening.abort();
      settle();
    };
    const timer = setTimeout(() => end(resolve), ms);
    signal.addEventListener('abort', () => end(() => reject(signal.reason)), { signal: listening.signal });
    for (const { target, types } of wakers) {
      for (const type of types) target.addEventListener(type, () => end(resolve), { signal: listening.signal });
    }
    if (signal.aborted) end(() => reject(signal.reason));
  });
}
