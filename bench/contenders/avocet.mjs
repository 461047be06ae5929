// Avocet, through its npm package as any page uses it.
import { dialable } from '../../tests/support/package-page.mjs'
import { loadRaw, openBench } from '../browsers.mjs'
import { KuboSide } from '../kubo-side.mjs'
import {
  ADD, ADD_FILE, BROWSERS, DIAL_COLD, DIAL_WARM, FIRST_LARGE, FIRST_SMALL, FROM_KUBO, READ, TO_KUBO
} from '../names.mjs'

/** First bytes are short and scatter: more samples of them a round. */
const FIRST_BYTES_A_ROUND = 5

async function peer (stand, name, options = {}) {
  const page = await openBench(stand, await stand.browser(name))
  await loadRaw(page)
  await page.evaluate(given => kit.start(given), { store: `bench-${name}`, ...options })
  return page
}

/** Two peers that are connected, reserved on one relay; the address of the first. */
async function pair (stand) {
  const relays = [(await stand.relay()).relay]
  const [a, b] = [await peer(stand, 'avocet-a', { relays }), await peer(stand, 'avocet-b', { relays })]
  const addr = await dialable(a)
  await b.evaluate(to => peer.connect(to), addr)
  return { relays, a, b, addr }
}

/** Adds `size` bytes that no round had: the CID. */
const add = (page, size) => page.evaluate(async length => (await peer.add(raw.freshBytes(length).slice())).cid, size)

/** Reads all of `cid`: ms until the first and until the last byte. */
const read = (page, cid, providers, size) => page.evaluate(async ([cid, providers, size]) => {
  return await timedRead(peer.cat(cid, { providers }), size)
}, [cid, providers, size])

export async function store (stand, { size }) {
  const page = await peer(stand, 'avocet')
  return async () => {
    const ms = await page.evaluate(async length => {
      const bytes = raw.freshBytes(length).slice()
      const added = await timed(() => peer.add(bytes))
      const file = await raw.freshFile(length)
      const ofFile = await timed(() => peer.add(file))
      const { last } = await timedRead(peer.cat(ofFile.result.cid), length)
      await empty()
      return [added.ms, ofFile.ms, last]
    }, size)
    return { [ADD]: ms[0], [ADD_FILE]: ms[1], [READ]: ms[2] }
  }
}

export async function transfer (stand, { size }) {
  const { a, b, addr } = await pair(stand)
  return async () => {
    const cid = await add(a, size)
    const { first, last } = await read(b, cid, [addr], size)
    const small = []
    for (let i = 0; i < FIRST_BYTES_A_ROUND; i++) {
      const cid = await add(a, 4096)
      small.push((await read(b, cid, [addr], 4096)).first)
    }
    for (const page of [a, b]) await page.evaluate(() => empty())
    return { [BROWSERS]: last, [FIRST_LARGE]: first, [FIRST_SMALL]: small }
  }
}

/** A peer that was never connected to anything dials; then another one that has the relay at hand. */
export async function dial (stand) {
  const { relays, b, addr } = await pair(stand)
  return async () => {
    const [cold, warm] = await b.evaluate(async ([relays, to]) => {
      const first = await kit.createPeer({ store: 'memory' })
      const cold = await timed(() => first.connect(to))
      await first.stop()
      const second = await kit.createPeer({ store: 'memory', relays })
      while (second.addrs().length === 0) await new Promise(resolve => second.addEventListener('addrs', resolve, { once: true }))
      const warm = await timed(() => second.connect(to))
      await second.stop()
      return [cold.ms, warm.ms]
    }, [relays, addr])
    return { [DIAL_COLD]: cold, [DIAL_WARM]: warm }
  }
}

export async function kubo (stand, { size }) {
  const side = await KuboSide.start(stand, size)
  const page = await peer(stand, 'avocet')
  await page.evaluate(to => peer.connect(to), side.addr)
  return async () => {
    const { last } = await read(page, await side.add(), [], size)
    const took = await side.read(await add(page, size))
    await page.evaluate(() => empty())
    return { [FROM_KUBO]: last, [TO_KUBO]: took }
  }
}
