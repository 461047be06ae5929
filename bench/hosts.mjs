// One holder and three holders of a file, each a browser on a host whose sending is held to a rate: how much sooner
// three are done, on connections that are new and on those that know their line; and one raw data channel on the same
// lines. `node bench/hosts.mjs [--rounds N] [--size MIB] [--rate 8mbit]`; wants root on Linux.
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { withoutHosts } from '../tests/support/hosts.mjs'
import { Shaped } from '../tests/support/shaped.mjs'
import { joinRaw, loadRaw, PAGES, rawTransfer, Stand } from './browsers.mjs'
import { median } from './samples.mjs'

const MIB = 1024 * 1024
const RESULTS = fileURLToPath(new URL('hosts.json', import.meta.url))
/** To reach: three in this part of the time of one. A third would be perfect. */
const RATIO = 0.4

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    size: { type: 'string', default: '16' },
    rate: { type: 'string', default: '8mbit' }
  }
})
const [rounds, sizeMiB] = [options.rounds, options.size].map(Number)
const missing = withoutHosts()
if (missing) throw new Error(missing)

const stand = await Stand.open()
const runs = {}
try {
  const stage = await Shaped.open(stand, { holders: 3, rate: options.rate, size: sizeMiB * MIB, routes: { '/bench/': PAGES } })
  const [from, to] = [stage.holders[0].page, stage.leech.page]
  await loadRaw(from)
  await loadRaw(to)
  for (let round = 1; round <= rounds; round++) {
    await joinRaw(from, to)
    note('raw channel, new', { ms: await rawTransfer(to, sizeMiB * MIB) })
    note('raw channel', { ms: await rawTransfer(to, sizeMiB * MIB) })
    for (const page of [from, to]) await page.evaluate(() => raw.channelClose())
    await stage.connect()
    note('one, new', await fetched(stage, stage.lone))
    note('one', await fetched(stage, stage.lone))
    await stage.connect()
    note('three, new', await fetched(stage, stage.shared))
    note('three', await fetched(stage, stage.shared))
  }
} finally {
  await stand.close()
}

const ms = name => Math.round(median(runs[name].map(run => run.ms)))
const results = {
  sizeMiB,
  rate: options.rate,
  rounds,
  ms: Object.fromEntries(Object.keys(runs).map(name => [name, ms(name)])),
  ratio: thousandth(ms('three') / ms('one')),
  ratioNew: thousandth(ms('three, new') / ms('one, new')),
  reach: RATIO,
  surplus: median(runs.three.map(run => run.surplus)),
  runs
}
console.log(`${sizeMiB} MiB, ${options.rate} a holder`)
for (const [name, ms] of Object.entries(results.ms)) console.log(`${name.padEnd(18)} ${ms} ms`)
console.log(`three beside one: ${results.ratio} of the time (to reach: ${RATIO}), on new connections ${results.ratioNew}; sent twice ${results.surplus * 100} %`)
await writeFile(RESULTS, `${JSON.stringify(results, undefined, 2)}\n`)
console.log(`written to ${RESULTS}`)
if (results.ratio > RATIO) process.exitCode = 1

async function fetched (stage, file) {
  const got = await stage.fetch(file)
  if (got.sha256 !== file.sha256) throw new Error('other bytes came')
  return { ms: got.ms, sentMiB: got.sent.map(bytes => thousandth(bytes / MIB)), surplus: thousandth(got.surplus) }
}

function note (name, run) {
  const noted = { ...run, ms: Math.round(run.ms) }
  runs[name] = [...runs[name] ?? [], noted]
  process.stderr.write(`${name}: ${JSON.stringify(noted)}\n`)
}

function thousandth (value) {
  return Math.round(value * 1000) / 1000
}
