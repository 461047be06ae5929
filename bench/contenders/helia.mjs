// Helia with its blocks in IndexedDB, as it comes, less what reaches for the public network.
import { until } from '../../tests/support/wait.mjs'
import { KuboSide } from '../kubo-side.mjs'
import {
  ADD, ADD_FILE, BROWSERS, DIAL_COLD, DIAL_WARM, FIRST_LARGE, FIRST_SMALL, FROM_KUBO, READ, TO_KUBO
} from '../names.mjs'

/** First bytes are short and scatter: more samples of them a round. */
const FIRST_BYTES_A_ROUND = 5
const PAGE = new URL('../pages/helia.js', import.meta.url)

async function node (stand, name, options = {}) {
  const page = await stand.tab(name, await stand.page('helia', PAGE))
  await page.evaluate(given => startHelia(given), { store: `bench-${name}`, ...options })
  return page
}

/** Two nodes that are connected, reserved on one relay; the address of the first. */
async function pair (stand) {
  const { relay } = await stand.relay()
  const [a, b] = [await node(stand, 'helia-a', { relay }), await node(stand, 'helia-b', { relay })]
  const addr = await until('Helia has a /webrtc address', () => a.evaluate(() => helia.addrs()[0]))
  await b.evaluate(to => helia.dial(to), addr)
  return { relay, a, b, addr }
}

/** Adds `size` bytes that no round had: the CID. */
const add = (page, size) => page.evaluate(length => helia.add(pieces(raw.freshBytes(length))), size)

/** Reads all of `cid`: ms until the first and until the last byte. */
const read = (page, cid, size) => page.evaluate(([cid, size]) => timedRead(cat(cid), size), [cid, size])

export async function store (stand, { size }) {
  const page = await node(stand, 'helia')
  return async () => {
    const ms = await page.evaluate(async length => {
      const bytes = raw.freshBytes(length).slice()
      const added = await timed(() => helia.add(pieces(bytes)))
      const file = await raw.freshFile(length)
      const ofFile = await timed(() => helia.add(file.stream()))
      const { last } = await timedRead(cat(ofFile.result), length)
      await empty()
      return [added.ms, ofFile.ms, last]
    }, size)
    return { [ADD]: ms[0], [ADD_FILE]: ms[1], [READ]: ms[2] }
  }
}

export async function transfer (stand, { size }) {
  const { a, b } = await pair(stand)
  return async () => {
    const { first, last } = await read(b, await add(a, size), size)
    const small = []
    for (let i = 0; i < FIRST_BYTES_A_ROUND; i++) small.push((await read(b, await add(a, 4096), 4096)).first)
    for (const page of [a, b]) await page.evaluate(() => empty())
    return { [BROWSERS]: last, [FIRST_LARGE]: first, [FIRST_SMALL]: small }
  }
}

/** A node that was never connected to anything dials; then another one that has the relay at hand. */
export async function dial (stand) {
  const { relay, b, addr } = await pair(stand)
  await b.evaluate(() => helia.helia.stop())
  return async () => {
    const [cold, warm] = await b.evaluate(async ([relay, to]) => {
      await startHelia({})
      const cold = await timed(() => helia.dial(to))
      await helia.helia.stop()
      await startHelia({ relay })
      while (helia.addrs().length === 0) {
        await new Promise(resolve => helia.helia.libp2p.addEventListener('self:peer:update', resolve, { once: true }))
      }
      const warm = await timed(() => helia.dial(to))
      await helia.helia.stop()
      return [cold.ms, warm.ms]
    }, [relay, addr])
    return { [DIAL_COLD]: cold, [DIAL_WARM]: warm }
  }
}

export async function kubo (stand, { size }) {
  const side = await KuboSide.start(stand, size)
  const page = await node(stand, 'helia')
  await page.evaluate(to => helia.dial(to), side.addr)
  return async () => {
    const { last } = await read(page, await side.add(), size)
    const took = await side.read(await add(page, size))
    await page.evaluate(() => empty())
    return { [FROM_KUBO]: last, [TO_KUBO]: took }
  }
}
