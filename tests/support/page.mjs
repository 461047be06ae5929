// The page as a person with a screen reader knows it: roles and accessible names, nothing else.
import assert from 'node:assert/strict'
import { mkdtemp } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { sha256File } from './files.mjs'
import { LONG, PATIENCE, until } from './wait.mjs'

const LINK = /#\/ipfs\/[A-Za-z0-9]+/

export class AvocetPage {
  /** @param {import('./chromium.mjs').Chromium} browser @param {import('./chromium.mjs').Watched} tab */
  constructor (browser, tab) {
    this.browser = browser
    this.tab = tab
    this.page = tab.page
  }

  static async open (browser, url) {
    const opened = new AvocetPage(browser, await browser.tab())
    await opened.page.goto(url)
    return opened
  }

  get chooseFiles () { return this.page.getByLabel('Choose files', { exact: true }) }
  get chooseFolder () { return this.page.getByLabel('Choose a folder', { exact: true }) }
  get linkField () { return this.page.getByRole('textbox', { name: 'Link to share', exact: true }) }
  get copyButton () { return this.page.getByRole('button', { name: 'Copy link', exact: true }) }
  get openField () { return this.page.getByRole('textbox', { name: 'Link or CID to open', exact: true }) }
  get openButton () { return this.page.getByRole('button', { name: 'Open', exact: true }) }
  get saveButton () { return this.page.getByRole('button', { name: 'Save', exact: true }) }
  get saveAllButton () { return this.page.getByRole('button', { name: 'Save all', exact: true }) }
  get cancelButton () { return this.page.getByRole('button', { name: /^(Cancel|Stop)/ }) }
  get status () { return this.page.getByRole('status') }
  get alert () { return this.page.getByRole('alert') }
  get progress () { return this.page.getByRole('progressbar') }
  get myFiles () { return this.page.getByRole('region', { name: 'My files' }) }
  get peers () { return this.page.getByRole('region', { name: 'Peers' }) }

  heading (name) {
    return this.page.getByRole('heading', { name })
  }

  /** Shares what `paths` names through the file input, and gives the link that appears. */
  async share (...paths) {
    const before = await this.linkNow()
    await this.chooseFiles.setInputFiles(paths)
    return await this.newLink(before)
  }

  async shareFolder (path) {
    const before = await this.linkNow()
    await this.chooseFolder.setInputFiles(path)
    return await this.newLink(before)
  }

  /** Drops files from disk onto the middle of the page, as the browser itself would tell it. */
  async drop (...paths) {
    const before = await this.linkNow()
    await dropFiles(this.page, paths)
    return await this.newLink(before)
  }

  async linkNow () {
    return await this.linkField.count() > 0 ? await this.linkField.first().inputValue() : ''
  }

  async newLink (before = '') {
    return await until('a link to share appears', async () => {
      const now = await this.linkNow()
      return LINK.test(now) && now !== before ? now : false
    }, LONG)
  }

  /** A link of this page with a way to reach it in it: what a person would send once peers can dial this tab. */
  async reachableLink () {
    return await until('the link says from whom', async () => {
      const now = await this.linkNow()
      return /[?&]from=/.test(now) ? now : false
    })
  }

  /** Types or pastes a link or CID and presses Open. */
  async openByHand (text) {
    await this.openField.fill(text)
    await this.openButton.click()
  }

  /** Presses Save and gives the file that arrived on disk. */
  async save (button = this.saveButton, limit = LONG) {
    await button.waitFor({ timeout: limit })
    await until('Save can be pressed', () => button.isEnabled(), limit)
    const coming = this.page.waitForEvent('download', { timeout: limit })
    await button.click()
    const download = await coming
    const path = join(await mkdtemp(join(dirname(this.browser.profile), 'saved-')), 'saved')
    await download.saveAs(path)
    return { path, name: download.suggestedFilename() }
  }

  /** Opens `link` in this tab and holds what Save gives against the file that was shared. */
  async fetchAndCompare (link, file) {
    await this.page.goto(link)
    await this.compareSaved(file)
  }

  async compareSaved (file) {
    await this.heading(file.name).first().waitFor({ timeout: LONG })
    const saved = await this.save()
    assert.equal(await sha256File(saved.path), file.sha256, `${file.name} came out with other bytes`)
    assert.equal(saved.name, file.name)
  }

  /** How far the first progressbar is, from 0 to 1; undefined when there is none or it cannot say. */
  async progressNow () {
    return await this.page.evaluate(() => {
      const find = root => {
        for (const element of root.querySelectorAll('*')) {
          if (element.tagName === 'PROGRESS' && element.position >= 0) return element.position
          if (element.getAttribute('role') === 'progressbar' && element.hasAttribute('aria-valuenow')) {
            return Number(element.getAttribute('aria-valuenow')) / Number(element.getAttribute('aria-valuemax') ?? 100)
          }
          const inside = element.shadowRoot === null ? undefined : find(element.shadowRoot)
          if (inside !== undefined) return inside
        }
        return undefined
      }
      return find(document)
    })
  }

  /** Waits until something moves and is past `share` of its way, but not at its end. */
  async inTheMiddle (share = 0.05) {
    await until(`a transfer is past ${share * 100} %`, async () => {
      const now = await this.progressNow()
      return now !== undefined && now >= share && now < 1
    }, LONG)
  }

  async alertText (pattern, limit = PATIENCE) {
    return await until(`an alert that says ${pattern}`, async () => {
      for (const text of await this.alert.allInnerTexts()) if (pattern.test(text)) return text
      return false
    }, limit)
  }

  async statusText (pattern, limit = PATIENCE) {
    return await until(`the live region says ${pattern}`, async () => {
      for (const text of await this.status.allInnerTexts()) if (pattern.test(text)) return text
      return false
    }, limit)
  }
}

/** A drop of real files: Chromium makes the DataTransfer, as it does for a person's mouse. */
export async function dropFiles (page, paths) {
  const session = await page.context().newCDPSession(page)
  const { width, height } = await page.evaluate(() => ({ width: innerWidth, height: innerHeight }))
  const data = { items: [], files: paths, dragOperationsMask: 1 }
  for (const type of ['dragEnter', 'dragOver', 'drop']) {
    await session.send('Input.dispatchDragEvent', { type, x: width / 2, y: height / 2, data })
  }
  await session.detach()
}

export function cidOf (link) {
  return /#\/ipfs\/([A-Za-z0-9]+)/.exec(link)[1]
}
