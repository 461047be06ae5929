// Archives in and out, beside what others do it with, in the same page and in turns.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { openBench } from './browsers.mjs'
import { Samples } from './samples.mjs'

const THEIRS = fileURLToPath(new URL('pages/js-car.js', import.meta.url))

/**
 * @param {import('./browsers.mjs').Stand} stand
 * @param {{ rounds: number, size: number }} options bytes of the one file in the archive
 */
export async function cars (stand, { rounds, size }) {
  const samples = new Samples()
  const page = await openBench(stand, await stand.browser('cars'))
  await page.addScriptTag({ content: await bundled(stand.folder) })
  await page.evaluate(() => kit.start({ store: 'bench-cars' }))
  await page.evaluate(prepare, size)
  for (let round = 0; round <= rounds; round++) {
    process.stderr.write(`archives: round ${round} of ${rounds}\n`)
    const took = await page.evaluate(turn)
    // Round 0 warms caches, code and the disk.
    if (round > 0) for (const [name, ms] of Object.entries(took)) samples.add(name, ms)
  }
  await page.close()
  return samples.rows(size)
}

async function bundled (folder) {
  const outfile = join(folder, 'js-car.js')
  await build({ entryPoints: [THEIRS], bundle: true, minify: true, format: 'iife', globalName: 'jsCar', outfile, logLevel: 'warning' })
  return await readFile(outfile, 'utf8')
}

/** In the page: an archive as a file that the browser keeps, as one that a person chooses is. */
async function prepare (size) {
  const folder = await navigator.storage.getDirectory()
  const handle = await folder.getFileHandle('bench.car', { create: true })
  const random = new ReadableStream({
    start () { this.left = size },
    pull (out) {
      const bytes = kit.random(Math.min(1048576, this.left))
      this.left -= bytes.length
      if (bytes.length > 0) out.enqueue(bytes)
      if (this.left === 0) out.close()
    }
  })
  const { cid } = await peer.add(random)
  await peer.car.export(cid).pipeTo(await handle.createWritable())
  globalThis.archive = await handle.getFile()
  await empty()
}

/** In the page: each of them once. */
async function turn () {
  const took = {}
  const timed = async (name, run) => {
    const began = performance.now()
    const result = await run()
    took[name] = performance.now() - began
    return result
  }
  const { roots } = await timed('CAR import', () => peer.car.import(archive))
  const length = await timed('CAR export', () => drain(peer.car.export(roots[0])))
  await empty()
  const trusting = await timed('CAR import, js-car (nothing verified)', () => jsCar.importCar(archive, false))
  await jsCar.remove(trusting)
  const theirs = await timed('CAR import, js-car', () => jsCar.importCar(archive, true))
  await timed('CAR export, js-car (nothing verified)', () => jsCar.exportCar(theirs, false))
  const other = await timed('CAR export, js-car', () => jsCar.exportCar(theirs, true))
  await jsCar.remove(theirs)
  if (length !== archive.size || other !== archive.size) throw new Error(`of ${archive.size} bytes ${length} and ${other} came out`)
  return took
}
