// What the benchmarks ask of a running Avocet besides its own API.

/** Removes everything that the peer holds, so that every round begins with an empty store. */
globalThis.empty = async () => {
  for (const pin of await kit.all(peer.pins.ls())) await peer.pins.rm(pin.cid)
  await peer.gc()
}
