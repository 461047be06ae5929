// A real Chromium with a profile of its own on disk.
import { chromium } from 'playwright-core'
import { readFile } from 'node:fs/promises'
import { killTree } from './processes.mjs'
import { chromiumBinary } from './paths.mjs'
import { PATIENCE } from './wait.mjs'

const WITNESS = await readFile(new URL('witness.js', import.meta.url), 'utf8')
const LOG_LINES = 2000

/**
 * How browsers on this machine reach each other, from `AVOCET_NET`: `own` is a network of its own with a default
 * route, where nothing is wanted; without it Chromium must be told to offer loopback candidates.
 */
export const NET = process.env.AVOCET_NET ?? 'loopback'

/** One tab and what was seen of it from outside: console, uncaught errors, dialogs, bytes over WebSockets. */
export class Watched {
  /** @type {string[]} */
  console = []
  /** @type {string[]} */
  errors = []
  /** @type {string[]} */
  dialogs = []
  socketBytes = 0
  /** How often the browser asked whether the page may be left. */
  warnings = 0

  /** @param {import('playwright-core').Page} page @param {string} name */
  constructor (page, name) {
    this.page = page
    this.name = name
    page.setDefaultTimeout(PATIENCE)
    page.on('console', message => this.#keep(`[${message.type()}] ${message.text()}`))
    page.on('pageerror', error => {
      this.errors.push(String(error.stack ?? error))
      this.#keep(`[uncaught] ${error.stack ?? error}`)
    })
    page.on('dialog', dialog => {
      if (dialog.type() === 'beforeunload') this.warnings += 1
      else this.dialogs.push(`${dialog.type()}: ${dialog.message()}`)
      dialog.accept().catch(() => {})
    })
    page.on('websocket', socket => {
      const count = ({ payload }) => { this.socketBytes += payload.length }
      socket.on('framesent', count)
      socket.on('framereceived', count)
    })
  }

  /**
   * What the direct connections of this page carried so far, by the browser's own count.
   * @returns {Promise<{ open: number, sent: number, received: number }>}
   */
  async direct () {
    return await this.page.evaluate(async () => {
      const total = { open: 0, sent: 0, received: 0 }
      for (const connection of globalThis.__witness.connections) {
        if (connection.connectionState === 'connected') total.open += 1
        for (const report of (await connection.getStats()).values()) {
          if (report.type !== 'transport') continue
          total.sent += report.bytesSent ?? 0
          total.received += report.bytesReceived ?? 0
        }
      }
      return total
    })
  }

  async violations () {
    return await this.page.evaluate(() => globalThis.__witness?.violations ?? [])
  }

  #keep (line) {
    this.console.push(line)
    if (this.console.length > LOG_LINES) this.console.shift()
  }
}

export class Chromium {
  /** @type {Watched[]} */
  tabs = []

  /** @param {import('playwright-core').BrowserContext} context */
  constructor (context, name, profile) {
    this.context = context
    this.name = name
    this.profile = profile
    this.open = true
  }

  /**
   * @param {{ name: string, profile: string, args?: string[], init?: string[] } &
   *   import('playwright-core').BrowserContextOptions} options `init`: scripts for every page before its own code
   */
  static async launch ({ name, profile, args = [], init = [], permissions = [], ...context }) {
    const loopback = NET === 'loopback'
    const opened = await chromium.launchPersistentContext(profile, {
      executablePath: chromiumBinary(),
      headless: true,
      acceptDownloads: true,
      args: [...(loopback ? ['--allow-loopback-in-peer-connection'] : []), ...args],
      permissions: [...(loopback ? ['camera', 'microphone'] : []), ...permissions],
      ...context
    })
    const browser = new Chromium(opened, name, profile)
    for (const script of init) await opened.addInitScript({ content: script })
    await opened.addInitScript({ content: WITNESS })
    return browser
  }

  /** The first tab, or a further one. */
  async tab () {
    const blank = this.tabs.length === 0 ? this.context.pages()[0] : undefined
    const page = blank ?? await this.context.newPage()
    const watched = new Watched(page, `${this.name}-${this.tabs.length + 1}`)
    this.tabs.push(watched)
    return watched
  }

  /** Closes it as a person would: pages hear that they are left. */
  async close () {
    if (!this.open) return
    this.open = false
    await this.context.close().catch(() => {})
  }

  /** No goodbye of any kind. */
  async kill () {
    this.open = false
    await killTree(this.profile)
    await this.context.close().catch(() => {})
  }
}
