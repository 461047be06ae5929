// Waiting for what is to come true, never for time to pass.

/** How long anything that a person would wait for may take on a busy machine with two cores, in ms. */
export const PATIENCE = 30_000
/** The same where tens of megabytes move. */
export const LONG = 120_000

const POLL_EVERY = 100

/**
 * Polls `probe` until it gives something truthy, and gives that. A probe that throws counts as "not yet": its last
 * error is told when the time is up.
 * @template T
 * @param {string} what what is waited for, in words: the error's text
 * @param {() => T | Promise<T>} probe
 * @param {number} [within] ms
 * @returns {Promise<NonNullable<T>>}
 */
export async function until (what, probe, within = PATIENCE) {
  const end = performance.now() + within
  let last
  while (performance.now() < end) {
    try {
      const found = await probe()
      if (found) return found
      last = found
    } catch (error) {
      last = error
    }
    await new Promise(resolve => setTimeout(resolve, POLL_EVERY))
  }
  throw new Error(`not within ${within / 1000} s: ${what} (last: ${describe(last)})`)
}

/** `promise`, or an error that names what did not come within the bound. */
export async function within (what, promise, ms = PATIENCE) {
  let timer
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${ms / 1000} s: ${what}`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

function describe (value) {
  if (value instanceof Error) return value.message
  return typeof value === 'string' ? value : JSON.stringify(value)
}
