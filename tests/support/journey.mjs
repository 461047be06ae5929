// A journey: a test over real browsers, a real relay and real files, that cleans up and leaves what a failure wants.
import assert from 'node:assert/strict'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Chromium } from './chromium.mjs'
import { Firefox } from './firefox.mjs'
import { Hosts } from './hosts.mjs'
import { Kubo } from './kubo.mjs'
import { randomFile } from './files.mjs'
import { AvocetPage } from './page.mjs'
import { OUT } from './paths.mjs'
import { Relay } from './relay.mjs'
import { serve } from './static.mjs'
import { within } from './wait.mjs'

/** A journey that hangs is ended; every wait inside has its own, shorter bound. */
const JOURNEY_LIMIT = 240_000
/** A part of one that hangs ends the journey earlier. */
const STEP_LIMIT = 150_000
/** What is kept of a failed journey is written within this. */
const CLEAN_UP = 30_000

/**
 * @param {string} name
 * @param {(scene: Scene, t: import('node:test').TestContext) => Promise<void>} walk
 * @param {{ timeout?: number, skip?: string | false }} [options]
 */
export function journey (name, walk, { timeout = JOURNEY_LIMIT, skip = false } = {}) {
  test(name, { timeout: timeout + CLEAN_UP, skip }, async t => {
    const scene = await Scene.open(name, t)
    try {
      await within(`the whole of: ${name}`, walk(scene, t), timeout)
      await scene.nothingWentWrongUnseen()
    } catch (error) {
      await scene.keepArtefacts()
      throw brief(error)
    } finally {
      await scene.close()
    }
  })
}

/** Playwright appends everything that the browser ever wrote: pages of complaints about a missing desktop. */
function brief (error) {
  if (!(error instanceof Error)) return error
  const cut = text => text?.replace(/\n\s*Browser logs:[\s\S]*?(?=\n\s+at |$)/, '')
  error.message = cut(error.message)
  error.stack = cut(error.stack)
  return error
}

export class Scene {
  /** @type {Chromium[]} */
  browsers = []
  /** @type {Firefox[]} */
  foxes = []
  /** @type {Relay[]} */
  relays = []
  /** @type {Kubo[]} */
  kubos = []
  /** @type {Hosts | undefined} */
  #hosts
  #servers = []
  #profiles = 0
  /** Uncaught errors that a journey causes on purpose: those that match are no failure. @type {RegExp[]} */
  expected = []

  constructor (name, folder, t) {
    this.name = name
    this.folder = folder
    this.t = t
  }

  static async open (name, t) {
    return new Scene(name, await mkdtemp(join(tmpdir(), 'avocet-')), t)
  }

  /** A named part of the journey. What follows builds on it, so its failure ends the journey. */
  async step (name, walk) {
    let failure
    await this.t.test(name, async t => {
      try {
        await within(name, walk(t), STEP_LIMIT)
      } catch (error) {
        failure = brief(error)
        throw failure
      }
    })
    if (failure !== undefined) throw failure
  }

  /** @param {Partial<ConstructorParameters<typeof Relay>[0]>} [options] */
  async relay (options = {}) {
    const data = join(this.folder, `relay-${this.relays.length}`)
    await mkdir(data, { recursive: true })
    const relay = await Relay.start({ data, ...options })
    this.relays.push(relay)
    return relay
  }

  /** A Kubo with an empty repository. */
  async kubo () {
    const kubo = await Kubo.start({ data: join(this.folder, `kubo-${this.kubos.length}`) })
    this.kubos.push(kubo)
    return kubo
  }

  /** A browser with a new profile, or with the one of a browser that is gone. */
  async chromium (name, { after, ...options } = {}) {
    const profile = after?.profile ?? join(this.folder, `profile-${this.#profiles++}`)
    const browser = await Chromium.launch({ name, profile, ...options })
    this.browsers.push(browser)
    return browser
  }

  /** A new browser with one tab at `url`, as the page's user sees it. */
  async visitor (name, url, options = {}) {
    const browser = await this.chromium(name, options)
    return await AvocetPage.open(browser, url)
  }

  async firefox (name) {
    const browser = await Firefox.launch({ name, profile: join(this.folder, `profile-${this.#profiles++}`) })
    this.foxes.push(browser)
    return browser
  }

  /** Hosts of their own, `count` of them, what each sends held to `rate`; once a journey. */
  async hosts (count, rate) {
    this.#hosts = await Hosts.up({ count, rate, folder: join(this.folder, 'hosts') })
    return this.#hosts
  }

  async serve (routes, options) {
    const server = await serve(routes, options)
    this.#servers.push(server)
    return server
  }

  async file (name, size, seed) {
    return await randomFile(join(this.folder, 'files'), name, size, seed)
  }

  path (...parts) {
    return join(this.folder, ...parts)
  }

  /** Whatever a journey is about: no tab had an uncaught error, a dialog, or a refusal of the content policy. */
  async nothingWentWrongUnseen () {
    for (const browser of this.browsers) {
      for (const tab of browser.tabs) {
        const errors = tab.errors.filter(error => !this.expected.some(pattern => pattern.test(error)))
        assert.deepEqual(errors, [], `uncaught errors in ${tab.name}`)
        assert.deepEqual(tab.dialogs, [], `dialogs in ${tab.name}`)
        if (!browser.open || tab.page.isClosed()) continue
        assert.deepEqual(await tab.violations(), [], `content policy in ${tab.name}`)
      }
    }
    for (const fox of this.foxes) assert.deepEqual(fox.errors, [], `uncaught errors in ${fox.name}`)
  }

  async keepArtefacts () {
    const out = join(OUT, this.name.replace(/[^\w]+/g, '-').slice(0, 80))
    await rm(out, { recursive: true, force: true })
    await mkdir(out, { recursive: true })
    for (const browser of this.browsers) {
      for (const tab of browser.tabs) {
        await writeFile(join(out, `${tab.name}.log`), [...tab.console, ...tab.errors].join('\n'))
        if (browser.open) {
          await tab.page.screenshot({ path: join(out, `${tab.name}.png`), timeout: 5_000 }).catch(() => {})
        }
      }
    }
    for (const fox of this.foxes) await writeFile(join(out, `${fox.name}.log`), fox.console.join('\n'))
    for (const [i, relay] of this.relays.entries()) await writeFile(join(out, `relay-${i}.log`), relay.log.join('\n'))
    for (const [i, kubo] of this.kubos.entries()) await writeFile(join(out, `kubo-${i}.log`), kubo.log.join('\n'))
    const saved = join(this.folder, 'keep')
    await cp(saved, join(out, 'keep'), { recursive: true }).catch(() => {})
  }

  async close () {
    for (const browser of [...this.browsers, ...this.foxes]) if (browser.open) await browser.kill().catch(() => {})
    for (const relay of this.relays) await relay.stop().catch(() => {})
    for (const kubo of this.kubos) await kubo.stop().catch(() => {})
    for (const server of this.#servers) await server.stop().catch(() => {})
    this.#hosts?.down()
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }
}
