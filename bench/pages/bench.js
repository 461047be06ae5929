// Small helpers of the benchmarks in a page that has a running peer.
globalThis.drain = async stream => {
  let read = 0
  const reader = stream.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return read
    read += value.length
  }
}

/** Removes everything that the peer holds, so that every round begins with an empty store. */
globalThis.empty = async () => {
  for (const pin of await kit.all(peer.pins.ls())) await peer.pins.rm(pin.cid)
  await peer.gc()
}
