// Browsers that hold files, each on a host of its own whose sending is held to a rate, and one that fetches them.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { randomFile } from './files.mjs'
import { HUB } from './hosts.mjs'
import { dialable, packageRoutes, startPeer } from './package-page.mjs'
import { chromiumBinary, relayBinary } from './paths.mjs'
import { LONG, within } from './wait.mjs'

const SERVER = fileURLToPath(new URL('serve-main.mjs', import.meta.url))

/** One browser with a peer, on a host. @typedef {{ host: number, browser: object, page: object, id: string, addr: string }} Node */
/** A file by its CID. @typedef {{ cid: string, size: number, sha256: string }} Held */

export class Shaped {
  /** @type {Node[]} */
  holders = []
  /** @type {Node} */
  leech
  /** Held by all holders. @type {Held} */
  shared
  /** Of the same size, held by the first alone. @type {Held} */
  lone

  /**
   * @param {object} scene what makes relay, hosts and browsers, and ends them
   * @param {{ holders: number, rate: string, size: number, routes?: object }} options `routes`: what the server has besides
   */
  static async open (scene, { holders, rate, size, routes = {} }) {
    const stage = new Shaped()
    stage.hosts = await scene.hosts(holders + 1, rate)
    stage.relay = await scene.relay({ host: HUB, binary: await stage.hosts.launcher(0, relayBinary()) })
    const folder = join(scene.folder, 'served')
    const [shared, lone] = [await randomFile(folder, 'shared', size), await randomFile(folder, 'lone', size)]
    stage.origin = await stage.#serve({ ...packageRoutes, ...routes, '/served/': folder })
    for (let host = 1; host <= holders; host++) stage.holders.push(await stage.#peer(scene, `holder-${host}`, host))
    stage.leech = await stage.#peer(scene, 'leech', holders + 1)
    stage.shared = await stage.#hold(shared, stage.holders)
    stage.lone = await stage.#hold(lone, stage.holders.slice(0, 1))
    return stage
  }

  /** The leech is connected to all holders anew: what connections learn of the line is not known yet. */
  async connect () {
    for (const { id, addr } of this.holders) {
      await this.leech.page.evaluate(async ([id, addr]) => {
        await peer.disconnect(id)
        await peer.connect(addr)
      }, [id, addr])
    }
  }

  /**
   * The leech fetches a whole file into a store that has none of it.
   * @param {Held} file
   * @returns {Promise<{ ms: number, sha256: string, size: number, sent: number[], surplus: number }>} `sent`: bytes of
   *   blocks that each holder handed out; `surplus`: which part of these was more than what was wanted
   */
  async fetch (file) {
    await this.leech.page.evaluate(() => peer.gc())
    const before = await this.sent()
    const got = await within('the file comes', this.begin(file), LONG)
    const sent = (await this.sent()).map((bytes, i) => bytes - before[i])
    return { ...got, sent, surplus: sent.reduce((sum, bytes) => sum + bytes, 0) / file.stored - 1 }
  }

  /** The leech begins to fetch a file, or a part of it. */
  async begin ({ cid }, range = {}) {
    return await this.leech.page.evaluate(async ([cid, options]) => {
      const began = performance.now()
      const bytes = await kit.bytes(peer.cat(cid, options))
      const ms = performance.now() - began
      return { ms, size: bytes.length, sha256: await kit.sha256(bytes) }
    }, [cid, { ...range, providers: this.holders.map(holder => holder.addr) }])
  }

  async stats ({ page }) {
    return await page.evaluate(() => peer.stats())
  }

  /** Bytes of blocks that each holder has handed out so far; 0 for one whose browser is gone. */
  async sent () {
    const stats = this.holders.map(holder => holder.browser.open ? this.stats(holder) : { bytesSent: 0 })
    return (await Promise.all(stats)).map(({ bytesSent }) => bytesSent)
  }

  async #hold (file, holders) {
    const held = await Promise.all(holders.map(({ page }) => page.evaluate(async name => {
      const response = await fetch(`/served/${name}`)
      const before = (await peer.usage()).used
      const { cid } = await peer.add(await response.blob())
      return { cid, stored: (await peer.usage()).used - before }
    }, file.name)))
    return { ...file, ...held[0] }
  }

  async #peer (scene, name, host) {
    const executablePath = await this.hosts.launcher(host, chromiumBinary() ?? chromium.executablePath())
    // By plain http from another host a page has neither Web Locks nor WebCrypto, and this is about the network.
    const args = [`--unsafely-treat-insecure-origin-as-secure=${this.origin}`]
    const browser = await scene.chromium(name, { executablePath, args })
    const { page, id } = await startPeer(browser, this.origin, { store: name, relays: [this.relay.relay] })
    return { host, browser, page, id, addr: await dialable(page) }
  }

  async #serve (routes) {
    const node = await this.hosts.launcher(0, process.execPath)
    const child = spawn(node, [SERVER, HUB, JSON.stringify(routes)], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [origin] = await within('the server\'s line', once(createInterface({ input: child.stdout }), 'line'))
    return origin
  }
}
