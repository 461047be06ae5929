// Two Chromium processes, a server for the bench's pages, and the raw channel between them.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Chromium } from '../tests/support/chromium.mjs'
import { openPackage, packageRoutes } from '../tests/support/package-page.mjs'
import { Relay } from '../tests/support/relay.mjs'
import { serve } from '../tests/support/static.mjs'

const PAGES = fileURLToPath(new URL('pages', import.meta.url))

/** Everything that a benchmark runs on; `close` leaves nothing behind. */
export class Stand {
  #open = []
  /** @type {Chromium[]} */
  browsers = []

  static async open () {
    const stand = new Stand()
    stand.folder = await mkdtemp(join(tmpdir(), 'avocet-bench-'))
    stand.server = await serve({ ...packageRoutes, '/bench/': PAGES })
    return stand
  }

  async relay () {
    const relay = await Relay.start({ data: join(this.folder, 'relay') })
    this.#open.push(() => relay.stop())
    return relay
  }

  async browser (name, options = {}) {
    const browser = await Chromium.launch({ name, profile: join(this.folder, `profile-${name}`), ...options })
    this.#open.push(() => browser.close())
    this.browsers.push(browser)
    return browser
  }

  version () {
    return this.browsers[0]?.context.browser()?.version() ?? ''
  }

  async close () {
    for (const end of this.#open.reverse()) await end().catch(() => {})
    await this.server.stop().catch(() => {})
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** A tab at the bench's page, with the package loaded unless only the raw side is wanted. */
export async function openBench (stand, browser, { raw = false } = {}) {
  if (!raw) {
    const { page } = await openPackage(browser, stand.server.origin)
    await page.addScriptTag({ url: '/bench/bench.js' })
    return page
  }
  const { page } = await browser.tab()
  await page.goto(`${stand.server.origin}/bench/raw.js`)
  return page
}

/** Loads the raw part into a page that has the server's origin. */
export async function loadRaw (page) {
  await page.evaluate(async () => { globalThis.raw = await import('/bench/raw.js') })
}

/** Joins two pages by one data channel: `from` serves what `to` asks for. */
export async function joinRaw (from, to) {
  const offer = await from.evaluate(() => raw.channelOffer())
  const answer = await to.evaluate(sdp => raw.channelAnswer(sdp), offer)
  await Promise.all([from.evaluate(sdp => raw.channelReady(sdp), answer), to.evaluate(() => raw.channelReady())])
  await from.evaluate(() => raw.channelServe())
}

/** ms that `size` bytes took over the raw channel, from asking to the last byte. */
export async function rawTransfer (to, size) {
  return await to.evaluate(bytes => {
    raw.channelExpect(bytes)
    return raw.channelFetch()
  }, size)
}
