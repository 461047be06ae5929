// Archives in and out, beside what others do it with, in the same page and in turns.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { openBench } from './browsers.mjs'
import { EXPORT, IMPORT } from './names.mjs'
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
    if (round === 0) continue
    for (const [who, [imported, exported]] of Object.entries(took)) {
      samples.add(IMPORT, who, imported)
      samples.add(EXPORT, who, exported)
    }
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

/** In the page: each of them once; ms of import and export, by who. */
async function turn () {
  const imported = await timed(() => peer.car.import(archive))
  const exported = await timed(() => drain(peer.car.export(imported.result.roots[0])))
  await empty()
  const trusting = await timed(() => jsCar.importCar(archive, false))
  await jsCar.remove(trusting.result)
  const theirs = await timed(() => jsCar.importCar(archive, true))
  const unverified = await timed(() => jsCar.exportCar(theirs.result, false))
  const verified = await timed(() => jsCar.exportCar(theirs.result, true))
  await jsCar.remove(theirs.result)
  if (exported.result !== archive.size || verified.result !== archive.size) {
    throw new Error(`of ${archive.size} bytes ${exported.result} and ${verified.result} came out`)
  }
  return {
    avocet: [imported.ms, exported.ms],
    'js-car': [theirs.ms, verified.ms],
    'js-car, nothing verified': [trusting.ms, unverified.ms]
  }
}
