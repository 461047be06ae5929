// Whether what a MiB costs grows: with the size of the file, and with the peers that are connected.
// `node bench/growth.mjs [--rounds N] [--sizes 16,64,256,1024] [--peers 1,10,50] [--only sizes|peers]`
import { readFile, writeFile } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { randomFile } from '../tests/support/files.mjs'
import { dialable } from '../tests/support/package-page.mjs'
import { openBench, Stand } from './browsers.mjs'
import { Crowd } from './crowd.mjs'
import { median } from './samples.mjs'

const MIB = 1024 * 1024
const RESULTS = fileURLToPath(new URL('growth.json', import.meta.url))
/** To stay within: the dearest MiB beside the cheapest, and with many peers beside one. */
const LIMITS = { sizes: 1.2, peers: 1.2 }
/** Small files are moved more often, so that each size has about as many MiB behind its figure. */
const MIB_A_ROUND = 128
const MOST_A_ROUND = 4
/** What is downloaded while others are connected. */
const AMONG_PEERS = 64

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    sizes: { type: 'string', default: '16,64,256,1024' },
    peers: { type: 'string', default: '1,10,50' },
    only: { type: 'string', default: 'sizes,peers' }
  }
})
const rounds = Number(options.rounds)
const numbers = text => text.split(',').map(Number)
/** ms a MiB, by what and how much of it. @type {Record<string, Record<number, number[]>>} */
const found = {}

const stand = await Stand.open()
try {
  const relay = await stand.relay()
  const [a, b] = await Promise.all(['a', 'b'].map(async name => {
    const page = await openBench(stand, await stand.browser(name))
    await page.evaluate(options => kit.start(options), { store: `growth-${name}`, relays: [relay.relay] })
    return page
  }))
  const [from, to] = [await dialable(a), await dialable(b)]
  await b.evaluate(addr => peer.connect(addr), from)
  const move = async (file, note) => note(await added(a, file), await fetched(b, file, from, a))
  await move(await randomFile(stand.folder, 'warm.bin', AMONG_PEERS * MIB), () => {})
  if (options.only.includes('sizes')) await bySize(move)
  if (options.only.includes('peers')) await byPeers(move, to)
} finally {
  await stand.close()
}
await tell()

async function bySize (move) {
  const files = []
  for (const size of numbers(options.sizes)) files.push(await randomFile(stand.folder, `${size}.bin`, size * MIB))
  for (let round = 1; round <= rounds; round++) {
    for (const file of files) {
      const size = file.size / MIB
      const times = Math.min(MOST_A_ROUND, Math.max(1, MIB_A_ROUND / size))
      for (let time = 0; time < times; time++) {
        await move(file, (add, fetch) => {
          note('add', size, add)
          note('browser to browser', size, fetch)
        })
      }
      say(`round ${round}, ${size} MiB`)
    }
  }
}

/** The others hold nothing of it; the download is told of nobody, and finds who has it among those connected. */
async function byPeers (move, to) {
  const crowd = await Crowd.open(stand)
  const file = await randomFile(stand.folder, 'among.bin', AMONG_PEERS * MIB)
  for (let round = 1; round <= rounds; round++) {
    for (const peers of numbers(options.peers)) {
      await crowd.become(peers - 1, to)
      for (let time = 0; time < 2; time++) await move(file, (_add, fetch) => note('among peers', peers, fetch))
      say(`round ${round}, ${peers} peers`)
    }
  }
}

/** ms a MiB. */
async function added (page, file) {
  await page.getByLabel('file', { exact: true }).setInputFiles(file.path)
  const { ms, result } = await page.evaluate(() => timed(() => peer.add(document.querySelector('input').files[0])))
  file.cid = result.cid
  return ms / (file.size / MIB)
}

/** ms a MiB, and both stores empty after it. */
async function fetched (page, file, from, other) {
  const { ms, result } = await page.evaluate(cid => timed(() => drain(peer.cat(cid))), file.cid)
  if (result !== file.size) throw new Error(`${result} of ${file.size} bytes were read`)
  for (const one of [page, other]) await one.evaluate(() => empty())
  return ms / (file.size / MIB)
}

function note (what, much, ms) {
  found[what] ??= {}
  found[what][much] = [...found[what][much] ?? [], ms]
}

function say (what) {
  process.stderr.write(`${what}: ${JSON.stringify(Object.fromEntries(Object.entries(found).map(([what, by]) => [what, medians(by)])))}\n`)
}

function medians (by) {
  return Object.fromEntries(Object.entries(by).map(([much, all]) => [much, Math.round(median(all) * 100) / 100]))
}

async function tell () {
  const before = await readFile(RESULTS, 'utf8').then(JSON.parse, () => ({}))
  const results = { ...before, limits: LIMITS, machine: { cpus: cpus().length, model: cpus()[0]?.model ?? '', load: loadavg()[0] } }
  for (const [what, by] of Object.entries(found)) {
    const msAMiB = medians(by)
    const all = Object.values(msAMiB)
    const peers = what === 'among peers'
    const growth = Math.round(Math.max(...all) / (peers ? all[0] : Math.min(...all)) * 100) / 100
    const most = peers ? LIMITS.peers : LIMITS.sizes
    results[what] = { msAMiB, growth, held: growth <= most, rounds }
    console.log(`${what}, ms a MiB by ${peers ? 'connected peers' : 'MiB'}: ${Object.entries(msAMiB).map(([much, ms]) => `${much}: ${ms}`).join(', ')}; ${growth} times (at most ${most})`)
    if (growth > most) process.exitCode = 1
  }
  await writeFile(RESULTS, `${JSON.stringify(results, undefined, 2)}\n`)
  console.log(`written to ${RESULTS}`)
}
