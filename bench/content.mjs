// What `avocet-dag` does with content: natively, in wasm as it ships, and beside it ipfs-unixfs-importer and -exporter,
// in one run and interleaved. `node bench/content.mjs [--rounds N] [--size MIB] [--entries N]`, with AVOCET_BENCH_BIN and
// AVOCET_BENCH_WASM as `cargo xtask bench content` sets them. Both wasm and JavaScript run in Node.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { MemoryBlockstore } from 'blockstore-core'
import { exporter } from 'ipfs-unixfs-exporter'
import { importer } from 'ipfs-unixfs-importer'
import { fixedSize, rabin } from 'ipfs-unixfs-importer/chunker'
import { median } from './samples.mjs'

const MIB = 1024 * 1024
const PIECE = 256 * 1024
const RESULTS = fileURLToPath(new URL('content.json', import.meta.url))

/** In the order of `bench/content/src/lib.rs`; a fast one is done so often a round. */
const WORKS = [
  { name: 'hash sha2-256', sized: true },
  { name: 'cut rabin', sized: true },
  { name: 'cut buzhash', sized: true },
  { name: 'add size-1048576', sized: true, compared: true, js: () => add(fixedSize({ chunkSize: MIB })) },
  { name: 'add rabin', sized: true, compared: true, js: () => add(rabin({ minChunkSize: 87381, avgChunkSize: 262144, maxChunkSize: 393216 })) },
  { name: 'add buzhash', sized: true },
  { name: 'directory: build', compared: true, js: () => build() },
  { name: 'directory: read one', times: 100, js: () => readOne() },
  { name: 'directory: read all', compared: true, js: () => readAll() }
]

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    size: { type: 'string', default: '64' },
    entries: { type: 'string', default: '100000' }
  }
})
const [rounds, size, entries] = [options.rounds, options.size, options.entries].map(Number)

/** The native program: a number in, milliseconds and what came of it out. */
class Native {
  static async start () {
    const child = spawn(process.env.AVOCET_BENCH_BIN, [String(size), String(entries)], { stdio: ['pipe', 'pipe', 'inherit'] })
    await once(child, 'spawn')
    return new Native(child)
  }

  constructor (child) {
    this.child = child
    this.lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  }

  async run (number) {
    this.child.stdin.write(`${number}\n`)
    const { value, done } = await this.lines.next()
    if (done) throw new Error('the native program has ended')
    const [ms, found] = value.split(' ').map(Number)
    return { ms, found }
  }

  stop () {
    this.child.stdin.end()
  }
}

const content = randomBytes(size * MIB)
const store = new MemoryBlockstore()
/** @type {import('multiformats/cid').CID | undefined} */
let directory
let next = 0

const native = await Native.start()
const wasm = await loadWasm()
/** Milliseconds of one, by work and by who does it. */
const samples = new Map()
// Round 0 warms caches and code, and is not counted.
for (let round = 0; round <= rounds; round++) {
  process.stderr.write(`round ${round} of ${rounds}\n`)
  for (const [number, work] of WORKS.entries()) await measure(number, work, round > 0)
}
native.stop()
const rows = WORKS.map(row)
console.log(table(rows))
const machine = { cpus: cpus().length, model: cpus()[0]?.model ?? '', node: process.version }
await writeFile(RESULTS, `${JSON.stringify({ machine, rounds, sizeMiB: size, entries, rows }, undefined, 2)}\n`)
console.log(`written to ${RESULTS}`)

async function measure (number, work, counted) {
  const times = work.times ?? 1
  const found = {}
  for (const who of ['native', 'wasm', 'js']) {
    let ms = 0
    for (let time = 0; time < times; time++) {
      const took = who === 'native' ? await native.run(number) : await timed(who === 'wasm' ? () => wasm.run(number) >>> 0 : work.js)
      if (took === undefined) break
      ms += took.ms
      found[who] = took.found
    }
    if (found[who] !== undefined && counted) keep(work.name, who, ms / times)
  }
  if (found.native !== found.wasm) throw new Error(`${work.name}: ${found.wasm} in wasm is not ${found.native}`)
  if (work.compared) work.same = found.js === found.native
}

async function timed (run) {
  if (run === undefined) return undefined
  const began = performance.now()
  const found = await run()
  return { ms: performance.now() - began, found }
}

function keep (name, who, ms) {
  const of = samples.get(name) ?? { native: [], wasm: [], js: [] }
  of[who].push(ms)
  samples.set(name, of)
}

/** The same bytes as the Rust side makes. */
function randomBytes (length) {
  const words = new Uint32Array(length / 4)
  let state = 0x2545f491
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[i] = state
  }
  return new Uint8Array(words.buffer)
}

async function add (chunker) {
  async function * pieces () {
    for (let at = 0; at < content.length; at += PIECE) yield content.subarray(at, at + PIECE)
  }
  // what is put is not kept: the other side keeps nothing either
  const nowhere = { put: cid => cid }
  for await (const entry of importer([{ content: pieces() }], nowhere, { profile: 'unixfs-v1-2025', chunker })) return firstBytes(entry.cid)
}

async function build () {
  function * files () {
    const encoder = new TextEncoder()
    for (let i = 0; i < entries; i++) yield { path: nameOf(i), content: encoder.encode(nameOf(i)) }
  }
  let last
  for await (const entry of importer(files(), store, { profile: 'unixfs-v1-2025', wrapWithDirectory: true })) last = entry
  directory = last.cid
  return firstBytes(last.cid)
}

async function readOne () {
  next = (next + 7919) % entries
  const entry = await exporter(`${directory}/${nameOf(next)}`, store)
  return entry.path.length
}

async function readAll () {
  const root = await exporter(directory, store)
  let count = 0
  // eslint-disable-next-line no-unused-vars
  for await (const _entry of (root.entries?.() ?? root.content())) count++
  return count
}

function nameOf (index) {
  return `file-${String(index).padStart(6, '0')}.txt`
}

function firstBytes (cid) {
  const digest = cid.multihash.digest
  return ((digest[0] << 24) | (digest[1] << 16) | (digest[2] << 8) | digest[3]) >>> 0
}

async function loadWasm () {
  const bytes = await readFile(process.env.AVOCET_BENCH_WASM)
  const { instance } = await WebAssembly.instantiate(bytes, {})
  instance.exports.prepare(size, entries)
  return instance.exports
}

function row (work) {
  const of = samples.get(work.name)
  const line = { name: work.name }
  for (const [who, all] of Object.entries(of)) {
    if (all.length === 0) continue
    line[`${who}Ms`] = Math.round(median(all) * 100) / 100
    if (work.sized) line[`${who}MBs`] = Math.round(size * MIB / 1e6 / (median(all) / 1000))
  }
  if (work.same !== undefined) line.sameAsJs = work.same
  return line
}

function table (rows) {
  const cell = (line, who) => {
    const [ms, rate] = [line[`${who}Ms`], line[`${who}MBs`]]
    return ms === undefined ? '–' : rate === undefined ? `${ms} ms` : `${rate} MB/s`
  }
  const lines = [['', 'native', 'wasm', 'js', 'js / wasm']]
  for (const line of rows) {
    const ratio = line.jsMs === undefined ? '' : (line.jsMs / line.wasmMs).toFixed(1)
    lines.push([line.name, cell(line, 'native'), cell(line, 'wasm'), cell(line, 'js'), ratio])
  }
  const widths = lines[0].map((_head, i) => Math.max(...lines.map(line => line[i].length)))
  return lines.map(line => line.map((text, i) => i === 0 ? text.padEnd(widths[i]) : text.padStart(widths[i])).join('  ')).join('\n')
}
