// What a page that uses the package makes its visitors load.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { PACKAGE } from '../tests/support/paths.mjs'

/** What the file list of the package can leave in its folder beside what a page loads. */
const NOT_LOADED = /node_modules|\.test\.m?js$|\.d\.ts$/

/** @returns {Promise<{ wasm: number, js: number, wasmGzip: number, jsGzip: number, gzip: number }>} bytes */
export async function packageSize () {
  const total = { wasm: 0, js: 0, wasmGzip: 0, jsGzip: 0, gzip: 0 }
  for (const entry of await readdir(PACKAGE, { recursive: true })) {
    if (NOT_LOADED.test(entry)) continue
    const kind = entry.endsWith('.wasm') ? 'wasm' : entry.endsWith('.js') ? 'js' : undefined
    if (kind === undefined) continue
    const bytes = await readFile(join(PACKAGE, entry))
    const packed = gzipSync(bytes, { level: 9 }).length
    total[kind] += bytes.length
    total[`${kind}Gzip`] += packed
    total.gzip += packed
  }
  return total
}
