// Small helpers of the benchmarks in every page.
globalThis.drain = async stream => {
  let read = 0
  for await (const piece of stream) read += piece.length
  return read
}

/** How long `run` took, and what came of it. */
globalThis.timed = async run => {
  const began = performance.now()
  const result = await run()
  return { ms: performance.now() - began, result }
}

/** Reads all of a stream that was begun just now: ms until its first and until its last byte. */
globalThis.timedRead = async (stream, size) => {
  const began = performance.now()
  let first
  let read = 0
  for await (const piece of stream) {
    first ??= performance.now() - began
    read += piece.length
  }
  const last = performance.now() - began
  if (read !== size) throw new Error(`${read} of ${size} bytes were read`)
  return { first, last }
}
