// Many connections kept for a while, with traffic on a quarter of them: does the memory of the tab in their middle grow?
// `node bench/connections.mjs [--minutes 10] [--peers 50]`: its memory over CDP after a forced collection, and the
// processor time of its process.
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { dialable } from '../tests/support/package-page.mjs'
import { openBench, Stand } from './browsers.mjs'
import { Crowd } from './crowd.mjs'
import { Gauge, WATCH } from './gauge.mjs'

const RESULTS = fileURLToPath(new URL('connections.json', import.meta.url))
/** Bytes that go each way between the tab and one peer, and how often. */
const PIECE = 256 * 1024
const EVERY = 5_000
/** Memory is read so often. The first of it is the growing that every start is, and no part of the slope. */
const READ_EVERY = 15_000
const SETTLING = 0.2

const { values: options } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, peers: { type: 'string', default: '50' } }
})
const [minutes, peers] = [options.minutes, options.peers].map(Number)
const busy = Math.ceil(peers / 4)

const stand = await Stand.open()
try {
  const relay = await stand.relay()
  const hub = await openBench(stand, await stand.browser('hub', { init: [WATCH] }))
  await hub.evaluate(options => kit.start(options), { store: 'hub', relays: [relay.relay] })
  const addr = await dialable(hub)
  const crowd = await Crowd.open(stand)
  await crowd.become(peers, addr)
  await hub.evaluate(() => {
    globalThis.left = 0
    peer.addEventListener('peer:disconnect', () => left++)
  })
  const gauge = await Gauge.of(hub)
  const processor = await gauge.processorSeconds()
  const began = performance.now()
  const readings = []
  let [rounds, next] = [0, 0]
  for (let now = 0; now < minutes * 60_000; now = performance.now() - began) {
    await exchange(hub, crowd)
    rounds += 1
    if (now >= next) {
      await gauge.read(`${Math.round(now / 1000)} s`)
      readings.push({ seconds: Math.round(now / 1000), totalMiB: gauge.readings.at(-1).total })
      next += READ_EVERY
    }
    const rest = rounds * EVERY - (performance.now() - began)
    if (rest > 0) await new Promise(resolve => setTimeout(resolve, rest))
  }
  await gauge.read('end')
  const seconds = (performance.now() - began) / 1000
  const state = await hub.evaluate(() => ({ left, connected: peer.peers().filter(entry => entry.direct && entry.transport === 'webrtc').length, stats: peer.stats() }))
  const results = {
    minutes: tenth(seconds / 60),
    peers,
    busy,
    rounds,
    slopeMiBAMinute: Math.round(slope(readings) * 1000) / 1000,
    firstMiB: readings[0].totalMiB,
    mostMiB: gauge.most.total,
    processorSeconds: tenth(await gauge.processorSeconds() - processor),
    wallSeconds: tenth(seconds),
    movedMiB: tenth((state.stats.bytesSent + state.stats.bytesReceived) / 1024 / 1024),
    connected: state.connected,
    left: state.left,
    longestTaskMs: Math.round(await hub.evaluate(() => __watch.longest)),
    stats: state.stats,
    readings: gauge.readings
  }
  const { readings: _, stats, ...told } = results
  console.log(told)
  await writeFile(RESULTS, `${JSON.stringify(results, undefined, 2)}\n`)
  console.log(`written to ${RESULTS}`)
  if (state.connected !== peers) throw new Error(`${state.connected} of ${peers} are connected at the end`)
} finally {
  await stand.close()
}

/** Bytes that nobody had before, from the tab to each busy peer and from each to the tab; nobody keeps them. */
async function exchange (hub, crowd) {
  const ours = await hub.evaluate(async size => (await peer.add(kit.random(size))).cid, PIECE)
  const theirs = await crowd.with(busy, async (peer, _index, [cid, size]) => {
    await drain(peer.cat(cid))
    return (await peer.add(kit.random(size))).cid
  }, [ours, PIECE])
  await hub.evaluate(async cids => {
    await Promise.all(cids.map(cid => drain(peer.cat(cid))))
    await empty()
  }, theirs)
  await crowd.with(busy, async peer => {
    for await (const pin of peer.pins.ls()) await peer.pins.rm(pin.cid)
    await peer.gc()
  })
}

/** MiB a minute: the line that fits the readings best, the first of them left out. */
function slope (readings) {
  const used = readings.slice(Math.floor(readings.length * SETTLING))
  const mean = key => used.reduce((sum, reading) => sum + reading[key], 0) / used.length
  const [time, memory] = [mean('seconds'), mean('totalMiB')]
  const over = used.reduce((sum, reading) => sum + (reading.seconds - time) * (reading.totalMiB - memory), 0)
  const under = used.reduce((sum, reading) => sum + (reading.seconds - time) ** 2, 0)
  return under === 0 ? 0 : over / under * 60
}

function tenth (value) {
  return Math.round(value * 10) / 10
}
