// A real Firefox with a profile of its own, over WebDriver BiDi.
import puppeteer from 'puppeteer-core'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { killTree } from './processes.mjs'
import { firefoxBinary } from './paths.mjs'
import { PATIENCE } from './wait.mjs'

const CONNECTION = /connection to (the server at )?wss?:/

export class Firefox {
  /** Console lines and uncaught errors of all its tabs. @type {string[]} */
  console = []
  errors = []

  constructor (browser, name, profile, downloads) {
    this.browser = browser
    this.name = name
    this.profile = profile
    this.downloads = downloads
    this.open = true
  }

  static available () {
    return firefoxBinary() !== undefined
  }

  /** @param {{ name: string, profile: string }} options */
  static async launch ({ name, profile }) {
    const downloads = join(profile, 'downloads')
    await mkdir(downloads, { recursive: true })
    const browser = await puppeteer.launch({
      browser: 'firefox',
      executablePath: firefoxBinary(),
      headless: true,
      userDataDir: profile,
      extraPrefsFirefox: {
        'browser.download.folderList': 2,
        'browser.download.dir': downloads,
        'browser.download.useDownloadDir': true,
        'browser.download.always_ask_before_handling_new_types': false,
        'browser.helperApps.neverAsk.saveToDisk': 'application/octet-stream,text/plain,application/zip',
        // Firefox lets no page offer addresses of its own until it has a camera: nobody is here to grant one.
        'media.peerconnection.ice.obfuscate_host_addresses': true
      }
    })
    return new Firefox(browser, name, profile, downloads)
  }

  async tab () {
    const page = await this.browser.newPage()
    page.setDefaultTimeout(PATIENCE)
    page.on('console', message => this.console.push(`[${message.type()}] ${message.text()}`))
    page.on('pageerror', error => {
      // Firefox tells of a socket that could not connect as it tells of an uncaught error.
      if (!CONNECTION.test(String(error.message))) this.errors.push(String(error.stack ?? error))
      this.console.push(`[uncaught] ${error.stack ?? error}`)
    })
    return page
  }

  async close () {
    if (!this.open) return
    this.open = false
    await this.browser.close().catch(() => {})
  }

  async kill () {
    this.open = false
    await killTree(this.profile)
  }
}
