// What a benchmark runs on: Chromium processes with profiles of their own, a server for the bench's pages, relays,
// and the raw channel between two pages.
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { Chromium } from '../tests/support/chromium.mjs'
import { Hosts } from '../tests/support/hosts.mjs'
import { openPackage, packageRoutes } from '../tests/support/package-page.mjs'
import { Relay } from '../tests/support/relay.mjs'
import { serve } from '../tests/support/static.mjs'

/** What the bench's pages load. */
export const PAGES = fileURLToPath(new URL('pages', import.meta.url))

/** Everything that a benchmark runs on; `close` leaves nothing behind. */
export class Stand {
  #open = []
  #closed = false
  /** Shared with the branches. @type {{ chromium: string, branches: number }} */
  #known = { chromium: '', branches: 0 }
  /** @type {Chromium[]} */
  browsers = []

  static async open () {
    const stand = new Stand()
    stand.folder = await mkdtemp(join(tmpdir(), 'avocet-bench-'))
    stand.routes = { ...packageRoutes, '/bench/': PAGES }
    stand.server = await serve(stand.routes)
    stand.closing(async () => await rm(stand.folder, { recursive: true, force: true, maxRetries: 5 }))
    stand.closing(async () => await stand.server.stop())
    return stand
  }

  /** A part of it with a folder of its own, closed on its own. */
  async branch (name) {
    const branch = new Stand()
    branch.#known = this.#known
    branch.folder = join(this.folder, `${++this.#known.branches}-${name}`)
    await mkdir(branch.folder)
    branch.routes = this.routes
    branch.server = this.server
    branch.closing(async () => await rm(branch.folder, { recursive: true, force: true, maxRetries: 5 }))
    return branch
  }

  /** Has `end` called when it is closed, before what was opened earlier is ended. */
  closing (end) {
    if (this.#closed) end().catch(() => {})
    else this.#open.push(end)
  }

  async relay (options = {}) {
    const relay = await Relay.start({ data: join(this.folder, 'relay'), ...options })
    this.closing(() => relay.stop())
    return relay
  }

  /** Hosts of their own, `count` of them, what each sends held to `rate`. */
  async hosts (count, rate) {
    const hosts = await Hosts.up({ count, rate, folder: join(this.folder, 'hosts') })
    this.closing(async () => hosts.down())
    return hosts
  }

  async chromium (name, options) {
    return await this.browser(name, options)
  }

  async browser (name, options = {}) {
    const browser = await Chromium.launch({ name, profile: join(this.folder, `profile-${name}`), ...options })
    this.closing(() => browser.close())
    this.browsers.push(browser)
    this.#known.chromium = browser.context.browser()?.version() ?? ''
    return browser
  }

  /** The browser's version, once one was opened. */
  version () {
    return this.#known.chromium
  }

  /** Bundles the module at `url` and serves it with an empty page of its own, of which it gives the path. */
  async page (name, url) {
    const script = `/pages/${name}.js`
    const path = `/pages/${name}`
    if (this.routes[path] === undefined) {
      const { outputFiles } = await build({
        entryPoints: [fileURLToPath(url)],
        bundle: true,
        minify: true,
        format: 'iife',
        platform: 'browser',
        write: false,
        logLevel: 'warning'
      })
      this.routes[script] = { type: 'text/javascript', body: outputFiles[0].contents }
      this.routes[path] = { type: 'text/html', body: `<!doctype html><title>${name}</title><script src="${script}"></script>` }
    }
    return path
  }

  /** A tab in a browser of its own at `path` of the server, with the raw part and the clock loaded. */
  async tab (name, path) {
    const { page } = await (await this.browser(name)).tab()
    await page.goto(`${this.server.origin}${path}`)
    await unwatch(page)
    await loadRaw(page)
    await page.addScriptTag({ url: '/bench/timing.js' })
    return page
  }

  async close () {
    this.#closed = true
    for (const end of this.#open.splice(0).reverse()) await end().catch(() => {})
  }
}

/**
 * Ends the browser's reports on the network. Playwright asks for them and has no option not to: every message of a
 * WebSocket then comes here a second time, in base64, which costs the tab as much as all of its own work on it.
 */
async function unwatch (page) {
  const session = page._connection?.toImpl?.(page)?.delegate?._mainFrameSession?._client
  if (session === undefined) throw new Error('this version of Playwright keeps its session elsewhere: find it')
  await session.send('Network.disable')
}

/** A tab at the bench's page, with the package loaded. */
export async function openBench (stand, browser) {
  const { page } = await openPackage(browser, stand.server.origin)
  await unwatch(page)
  for (const script of ['timing', 'bench']) await page.addScriptTag({ url: `/bench/${script}.js` })
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
