/**
 * The caller's callback, called from within the core: what it throws must not pass through there,
 * so it is reported as an unhandled error of the page.
 *
 * @param {Function | undefined} call
 * @returns {(detail: unknown) => void}
 */
export function guarded (call) {
  if (!call) return () => {}
  return detail => {
    try {
      call(detail)
    } catch (error) {
      queueMicrotask(() => { throw error })
    }
  }
}
