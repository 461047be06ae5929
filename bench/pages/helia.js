// Helia in a page, as the tests set it up, and what the benchmarks ask of it besides. Bundled when it is served.
import { CID } from 'multiformats/cid'
import '../../tests/support/helia-page.mjs'

const MIB = 1024 * 1024

/**
 * Bytes in memory as Helia adds them fastest: in pieces of its own chunks' size, each with memory of its own. Of one
 * large array it would store a view for every chunk, with all of the array behind it.
 */
globalThis.pieces = function * (bytes) {
  for (let at = 0; at < bytes.length; at += MIB) yield bytes.slice(at, at + MIB)
}

/** All of a file, from here or from whoever is connected. */
globalThis.cat = cid => helia.fs.cat(CID.parse(cid))

/** Removes everything that it holds, so that every round begins with an empty store. */
globalThis.empty = () => helia.helia.gc()
