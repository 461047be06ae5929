// Many peers: several in a page, several pages, one browser. They keep what they have in memory.
import { openBench } from './browsers.mjs'

/** Peers of one page: they share its wasm. */
const A_PAGE = 10

export class Crowd {
  #stand
  #browser
  #pages = []
  size = 0

  constructor (stand, browser) {
    this.#stand = stand
    this.#browser = browser
  }

  static async open (stand) {
    return new Crowd(stand, await stand.browser('crowd'))
  }

  /** Starts peers or ends them until there are so many, each connected to `addr`. */
  async become (size, addr) {
    for (let first = 0; first < Math.max(size, this.size); first += A_PAGE) {
      const number = first / A_PAGE
      const page = this.#pages[number] ??= await openBench(this.#stand, this.#browser)
      await page.evaluate(async ([count, addr]) => {
        globalThis.crowd ??= []
        for (const peer of crowd.splice(count)) await peer.stop()
        while (crowd.length < count) {
          const peer = await kit.createPeer({ store: 'memory' })
          await peer.connect(addr)
          crowd.push(peer)
        }
      }, [Math.max(0, Math.min(A_PAGE, size - first)), addr])
    }
    this.size = size
  }

  /** Runs `each(peer, index, argument)` in the page for the first `count` peers of the crowd, at once. */
  async with (count, each, argument) {
    const asked = this.#pages.map((page, number) => page.evaluate(async ([code, first, count, argument]) => {
      const run = new Function(`return (${code})`)()
      return await Promise.all(crowd.slice(0, Math.max(0, count)).map((peer, i) => run(peer, first + i, argument)))
    }, [String(each), number * A_PAGE, count - number * A_PAGE, argument]))
    return (await Promise.all(asked)).flat()
  }
}
