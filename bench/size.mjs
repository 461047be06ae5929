// What a page that uses the package makes its visitors load.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { PACKAGE } from '../tests/support/paths.mjs'

const LOADED = ['index.js', 'pkg/peer.js', 'pkg/avocet_bg.wasm']

/** @returns {Promise<{ wasm: number, js: number, wasmGzip: number, jsGzip: number, gzip: number }>} bytes */
export async function packageSize () {
  const total = { wasm: 0, js: 0, wasmGzip: 0, jsGzip: 0, gzip: 0 }
  for (const entry of LOADED) {
    const kind = entry.endsWith('.wasm') ? 'wasm' : 'js'
    const bytes = await readFile(join(PACKAGE, entry))
    const packed = gzipSync(bytes, { level: 9 }).length
    total[kind] += bytes.length
    total[`${kind}Gzip`] += packed
    total.gzip += packed
  }
  return total
}
