// The journey between two engines: Chromium to Firefox, and back.
import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { NET } from '../support/chromium.mjs'
import { Firefox } from '../support/firefox.mjs'
import { MB, sha256File } from '../support/files.mjs'
import { FirefoxPage } from '../support/firefox-page.mjs'
import { journey } from '../support/journey.mjs'
import { LONG, until } from '../support/wait.mjs'

/** Firefox has no way to connect over loopback alone. */
const skip = !Firefox.available()
  ? 'no Firefox on this machine'
  : NET === 'loopback' ? 'Firefox offers no loopback candidates: this wants a network of its own (AVOCET_NET=own)' : false

async function saved (fox, name) {
  const path = join(fox.downloads, name)
  await until(`${name} is downloaded`, async () => {
    const there = await readdir(fox.downloads)
    return there.includes(name) && !there.some(other => other.endsWith('.part'))
  }, LONG)
  return path
}

journey('Chromium to Firefox and back', async scene => {
  const relay = await scene.relay()
  const [there, back] = [await scene.file('to firefox.bin', 20 * MB), await scene.file('to chromium.bin', 20 * MB)]
  const chromium = await scene.visitor('chromium', relay.page)
  const fox = await scene.firefox('firefox')
  const page = await FirefoxPage.open(fox)

  await scene.step('Firefox opens what Chromium shares', async () => {
    await chromium.share(there.path)
    await page.goto(await chromium.reachableLink())
    await page.heading(there.name)
    await page.press('Save')
    assert.equal(await sha256File(await saved(fox, there.name)), there.sha256)
    assert.ok((await chromium.tab.direct()).sent > there.size)
  })

  await scene.step('Chromium opens what Firefox shares', async () => {
    await page.goto(relay.page)
    await page.choose('Choose files', back.path)
    await chromium.fetchAndCompare(await page.link(), back)
  })

  await scene.step('Firefox reloads and still serves', async () => {
    const link = await page.link()
    await page.reload()
    await page.text(back.name)
    const other = await scene.visitor('chromium-2', link)
    await other.compareSaved(back)
  })
}, { skip })
