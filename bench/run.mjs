// The benchmarks, side by side: what the browser itself can do beside what Avocet does with it, in one run,
// interleaved, so that a busy machine is busy for both. `node bench/run.mjs [--rounds N] [--size MIB] [--raw] [--cars]`,
// `--raw` and `--cars` for that part alone.
import { writeFile } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { dialable } from '../tests/support/package-page.mjs'
import { joinRaw, loadRaw, openBench, rawTransfer, Stand } from './browsers.mjs'
import { cars } from './cars.mjs'
import { interactive } from './interactive.mjs'
import { packageSize } from './size.mjs'
import { Samples, table } from './samples.mjs'

const MIB = 1024 * 1024
const RESULTS = fileURLToPath(new URL('results.json', import.meta.url))
/** First bytes and dials are short and scatter: more samples of them a round. */
const FIRST_BYTES_A_ROUND = 5

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    size: { type: 'string', default: '64' },
    raw: { type: 'boolean', default: false },
    cars: { type: 'boolean', default: false }
  }
})
const rounds = Number(options.rounds)
const size = Number(options.size) * MIB

/** What archives are measured with: large enough that what is held at once is a small part of it. */
const CAR = { rounds: Math.min(rounds, 5), size: 256 * MIB }

const stand = await Stand.open()
const samples = new Samples()
try {
  const results = options.cars ? { rows: await cars(stand, CAR) } : options.raw ? await rawOnly() : await everything()
  console.log(table(results.rows))
  if (results.cars) console.log(table(results.cars))
  if (!options.raw && !options.cars) {
    await writeFile(RESULTS, `${JSON.stringify(results, undefined, 2)}\n`)
    console.log(`written to ${RESULTS}`)
  }
} finally {
  await stand.close()
}

async function rawOnly () {
  const [a, b] = await twoPages()
  await joinRaw(a, b)
  for (let round = 0; round <= rounds; round++) {
    await rawRound(a, b, round > 0)
  }
  return { rows: samples.rows(size) }
}

async function everything () {
  const relay = await stand.relay()
  const [a, b] = await twoPages()
  await joinRaw(a, b)
  for (const [name, page] of [['a', a], ['b', b]]) {
    await page.evaluate(options => kit.start(options), { store: `bench-${name}`, relays: [relay.relay] })
  }
  const addr = await dialable(a)
  await b.evaluate(to => peer.connect(to), addr)
  // Round 0 warms caches, code and the disk, and is not counted.
  for (let round = 0; round <= rounds; round++) {
    process.stderr.write(`round ${round} of ${rounds}\n`)
    const counted = round > 0
    await rawRound(a, b, counted)
    await peerRound(a, b, addr, counted)
    await firstBytes(a, b, addr, counted)
    await dials(relay, addr, counted)
  }
  return {
    machine: { cpus: cpus().length, model: cpus()[0]?.model ?? '', memoryGiB: Math.round(totalmem() / 2 ** 30), node: process.version, chromium: stand.version() },
    rounds,
    sizeMiB: size / MIB,
    rows: samples.rows(size),
    targets: samples.targets(),
    cars: await cars(stand, CAR),
    package: await packageSize(),
    page: await interactive(stand, relay)
  }
}

async function twoPages () {
  const pages = []
  for (const name of ['a', 'b']) pages.push(await openBench(stand, await stand.browser(name), { raw: options.raw }))
  for (const page of pages) await loadRaw(page)
  return pages
}

async function rawRound (a, b, counted) {
  const { put, get } = await a.evaluate(count => raw.rawIndexedDb(count), size / MIB)
  const channel = await rawTransfer(b, size)
  if (!counted) return
  samples.add('raw IndexedDB put', put)
  samples.add('raw IndexedDB get', get)
  samples.add('raw data channel', channel)
}

async function peerRound (a, b, addr, counted) {
  const added = await a.evaluate(async length => {
    const bytes = raw.freshBytes(length).slice()
    const file = new File([raw.freshBytes(length)], 'f')
    const timed = async run => {
      const began = performance.now()
      const result = await run()
      return { ms: performance.now() - began, ...result }
    }
    const ofBytes = await timed(() => peer.add(bytes))
    const ofFile = await timed(() => peer.add(file))
    const read = await timed(async () => ({ read: await drain(peer.cat(ofFile.cid)) }))
    return { ofBytes, ofFile, read }
  }, size)
  const fetched = await b.evaluate(async ([cid, from]) => {
    const began = performance.now()
    const read = await drain(peer.cat(cid, { providers: [from] }))
    return { ms: performance.now() - began, read }
  }, [added.ofBytes.cid, addr])
  if (fetched.read !== size || added.read.read !== size) throw new Error('a read came out short')
  for (const page of [a, b]) await page.evaluate(() => empty())
  if (!counted) return
  samples.add('add (bytes in memory)', added.ofBytes.ms)
  samples.add('add (a File)', added.ofFile.ms)
  samples.add('read back', added.read.ms)
  samples.add('browser to browser', fetched.ms)
}

async function firstBytes (a, b, addr, counted) {
  for (let i = 0; i < FIRST_BYTES_A_ROUND; i++) {
    const cid = await a.evaluate(async () => (await peer.add(kit.random(4096))).cid)
    const ms = await b.evaluate(async ([path, from]) => {
      const began = performance.now()
      const reader = peer.cat(path, { providers: [from] }).getReader()
      await reader.read()
      const took = performance.now() - began
      await reader.cancel()
      return took
    }, [cid, addr])
    if (counted) samples.add('first byte of 4 KiB, connected', ms)
  }
}

/** A peer that was never connected to anything dials; then the same once more with the relay at hand. */
async function dials (relay, addr, counted) {
  const page = await openBench(stand, stand.browsers[1])
  const took = await page.evaluate(async ([relays, to]) => {
    const timed = async run => {
      const began = performance.now()
      await run()
      return performance.now() - began
    }
    const first = await kit.createPeer({ store: 'memory' })
    const cold = await timed(() => first.connect(to))
    await first.stop()
    const second = await kit.createPeer({ store: 'memory', relays })
    while (second.addrs().length === 0) await new Promise(resolve => second.addEventListener('addrs', resolve, { once: true }))
    const warm = await timed(() => second.connect(to))
    await second.stop()
    return { cold, warm }
  }, [[relay.relay], addr])
  await page.close()
  if (!counted) return
  samples.add('dial, nothing connected', took.cold)
  samples.add('dial, relay reserved', took.warm)
}
