// Memory and the main thread while a file larger than any buffer is added and while it is fetched, while it goes out as
// an archive and while that comes in again.
// `node bench/memory.mjs [--size MIB]`: JS heap, array buffers and wasm memory together, read over CDP after a forced
// collection at every 64 MiB; the longest task is measured in a pass of its own, as a forced collection is one itself.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { randomFile } from '../tests/support/files.mjs'
import { dialable } from '../tests/support/package-page.mjs'
import { openBench, Stand } from './browsers.mjs'
import { Gauge, WATCH } from './gauge.mjs'

const MIB = 1024 * 1024
const EVERY = 64 * MIB
const RESULTS = fileURLToPath(new URL('memory.json', import.meta.url))
/** To stay under. */
const LIMITS = { memoryMiB: 300, taskMs: 50 }

const { values: options } = parseArgs({ options: { size: { type: 'string', default: '1024' } } })
const size = Number(options.size) * MIB

const stand = await Stand.open()
try {
  const relay = await stand.relay()
  const passes = []
  for (const gauged of [true, false]) passes.push(await pass(relay, gauged))
  const [memory, tasks] = passes
  const found = Object.fromEntries(Object.keys(memory).map(name => [name, { ...memory[name], ...tasks[name] }]))
  const results = { sizeMiB: size / MIB, limits: LIMITS, ...found }
  for (const [name, found] of Object.entries(results).filter(([, found]) => found.mostMiB !== undefined)) {
    console.log(`${name}: at most ${found.mostMiB} MiB (${found.mostAt}), ${found.longTasks} tasks of more than 50 ms, the longest ${found.longestTaskMs} ms, ${found.seconds} s`)
  }
  await writeFile(RESULTS, `${JSON.stringify(results, undefined, 2)}\n`)
  console.log(`written to ${RESULTS}`)
  const held = Object.values(found).every(found => found.mostMiB < LIMITS.memoryMiB && found.longestTaskMs < LIMITS.taskMs)
  if (!held) process.exitCode = 1
} finally {
  await stand.close()
}

/** One file added in one browser and fetched by another, either with memory read all along or with tasks watched. */
async function pass (relay, gauged) {
  const label = gauged ? 'memory' : 'tasks'
  const file = await randomFile(stand.folder, `${label}.bin`, size)
  const a = await peerPage(relay, `${label}-a`)
  const add = await measured(a, gauged, 'add', async () => {
    await a.getByLabel('file', { exact: true }).setInputFiles(file.path)
    return await a.evaluate(() => peer.add(document.querySelector('input').files[0], { onProgress: ({ loaded }) => mark(loaded) }))
  })
  const addr = await dialable(a)
  const b = await peerPage(relay, `${label}-b`)
  await dialable(b)
  await b.evaluate(to => peer.connect(to), addr)
  const fetch = await measured(b, gauged, 'fetch', async () => {
    const read = await b.evaluate(async ([cid, from]) => {
      let read = 0
      const reader = peer.cat(cid, { providers: [from] }).getReader()
      for (;;) {
        const { done, value } = await reader.read()
        if (done) return read
        read += value.length
        mark(read)
      }
    }, [add.result.cid, addr])
    if (read !== size) throw new Error(`${read} bytes were read of ${size}`)
  })
  const exported = await measured(a, gauged, 'export', async () => await a.evaluate(async cid => {
    const handle = await (await navigator.storage.getDirectory()).getFileHandle('it.car', { create: true })
    let written = 0
    const counted = new TransformStream({ transform (chunk, out) { mark(written += chunk.length); out.enqueue(chunk) } })
    await peer.car.export(cid).pipeThrough(counted).pipeTo(await handle.createWritable())
    await empty()
    globalThis.archive = await handle.getFile()
  }, add.result.cid))
  const imported = await measured(a, gauged, 'import', async () => {
    const { roots } = await a.evaluate(() => peer.car.import(archive, { onProgress: ({ loaded }) => mark(loaded) }))
    if (roots[0] !== add.result.cid) throw new Error('another root came in')
  })
  for (const browser of stand.browsers.splice(0)) await browser.close()
  return { add: add.told, fetch: fetch.told, export: exported.told, import: imported.told }
}

async function peerPage (relay, name) {
  const page = await openBench(stand, await stand.browser(name, { init: [WATCH] }))
  await page.evaluate(options => kit.start(options), { store: name, relays: [relay.relay] })
  return page
}

async function measured (page, gauged, name, run) {
  const gauge = gauged ? await Gauge.of(page) : undefined
  /** Readings follow each other, however fast the marks come. */
  let last = gauge?.read(`${name} begins`)
  // One page is measured several times, and a name is exposed once.
  const passed = `passed_${name}`
  await page.exposeFunction(passed, at => {
    last = last?.then(() => gauge.read(`${name} ${at} MiB`))
    return last
  })
  await page.evaluate(([every, passed]) => {
    let next = every
    globalThis.mark = loaded => {
      if (loaded < next) return
      while (next <= loaded) next += every
      globalThis[passed](Math.round(loaded / 1048576))
    }
    __watch.longest = 0
    __watch.tasks = 0
  }, [EVERY, passed])
  const began = performance.now()
  const result = await run()
  const seconds = Math.round((performance.now() - began) / 100) / 10
  await last
  if (gauge !== undefined) {
    await gauge.read(`${name} ended`)
    return { result, told: { mostMiB: gauge.most.total, mostAt: gauge.most.at, readings: gauge.readings } }
  }
  const { longest, tasks } = await page.evaluate(() => ({ longest: __watch.longest, tasks: __watch.tasks }))
  return { result, told: { longestTaskMs: Math.round(longest), longTasks: tasks, seconds } }
}
