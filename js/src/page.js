/**
 * Follows the page's life: `left` when it goes away, maybe to come back out of the back/forward
 * cache, `back` when it does.
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
  return () => {
    target.removeEventListener('pagehide', left)
    target.removeEventListener('pageshow', show)
  }
}
