/**
 * Follows the page's life: `left` when it goes away, maybe to come back out of the back/forward
 * cache, `back` when it does, and when the browser is online again.
 *
 * @param {() => void} left
 * @param {() => void} back
 * @returns {() => void} ends it
 */
export function onPage (left, back) {
  const target = /** @type {any} */ (globalThis)
  if (typeof target.addEventListener !== 'function') return () => {}
  const show = (/** @type {PageTransitionEvent} */ event) => { if (event.persisted) back() }
  target.addEventListener('pagehide', left)
  target.addEventListener('pageshow', show)
  target.addEventListener('online', back)
  return () => {
    target.removeEventListener('pagehide', left)
    target.removeEventListener('pageshow', show)
    target.removeEventListener('online', back)
  }
}
