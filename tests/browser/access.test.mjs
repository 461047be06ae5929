// The page for everybody: by keyboard alone, on a phone, in the dark, with nothing moving, and under its own policy.
import assert from 'node:assert/strict'
import { MB } from '../support/files.mjs'
import { journey } from '../support/journey.mjs'
import { AvocetPage } from '../support/page.mjs'
import { LONG, until } from '../support/wait.mjs'

/** More presses of Tab than this to reach something is no way to use a page. */
const TABS_AT_MOST = 60

/** Role and name of what has the focus, through shadow roots, as the browser's accessibility tree has it. */
async function focused (page) {
  const session = await page.context().newCDPSession(page)
  try {
    const { nodes } = await session.send('Accessibility.getFullAXTree')
    const has = node => node.properties?.some(property => property.name === 'focused' && property.value.value === true)
    const node = nodes.filter(has).at(-1)
    return { role: node?.role?.value, name: node?.name?.value ?? '' }
  } finally {
    await session.detach()
  }
}

/** Presses Tab until what has the focus is called `name`. */
async function tabTo (page, name) {
  const seen = []
  for (let i = 0; i < TABS_AT_MOST; i++) {
    await page.keyboard.press('Tab')
    const now = await focused(page)
    if (typeof name === 'string' ? now.name === name : name.test(now.name)) return now
    seen.push(`${now.role} ${now.name}`)
  }
  throw new Error(`Tab never comes to ${name}: ${seen.join(' | ')}`)
}

/** What the focus is on, as a person sees it: where it lies, and whether a ring is around it. */
async function shownFocus (page) {
  return await page.evaluate(() => {
    const active = document.activeElement
    // A file field lies out of sight below its label, which has the ring in its place.
    const seen = active.matches('.pick input') ? active.nextElementSibling : active
    const { outlineStyle, outlineWidth } = getComputedStyle(seen)
    const { top, bottom, width } = seen.getBoundingClientRect()
    const ring = outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2
    return { at: active.outerHTML.slice(0, 90), body: active === document.body, ring, top: top + scrollY, bottom: bottom + scrollY, width }
  })
}

journey('share, open, save and remove by keyboard alone', async scene => {
  const relay = await scene.relay()
  const file = await scene.file('by keyboard.bin', 1 * MB)
  const first = await scene.visitor('first', relay.page)

  await scene.step('a file is chosen and its link copied', async () => {
    await first.statusText(/ready/i)
    await tabTo(first.page, 'Choose files')
    const choosing = first.page.waitForEvent('filechooser')
    await first.page.keyboard.press('Enter').catch(() => {})
    const chooser = await Promise.race([choosing, first.page.keyboard.press('Space').then(() => choosing)])
    await chooser.setFiles(file.path)
    await first.newLink()
    await first.reachableLink()
    await tabTo(first.page, 'Copy link')
    await first.page.keyboard.press('Enter')
    await first.statusText(/copied|ctrl/i)
  })

  let second
  await scene.step('the link is typed, opened and saved', async () => {
    second = await scene.visitor('second', relay.page)
    await second.statusText(/ready/i)
    await tabTo(second.page, 'Link or CID to open')
    await second.page.keyboard.insertText(await first.linkNow())
    await second.page.keyboard.press('Enter')
    await second.heading(file.name).first().waitFor({ timeout: LONG })
    await until('Save can be pressed', () => second.saveButton.isEnabled(), LONG)
    const coming = second.page.waitForEvent('download', { timeout: LONG })
    await tabTo(second.page, 'Save')
    await second.page.keyboard.press('Enter')
    assert.equal((await coming).suggestedFilename(), file.name)
    assert.equal((await focused(second.page)).name, 'Save', 'the focus stays where it was')
  })

  await scene.step('every stop of Tab can be seen, from the top of the page to its end', async () => {
    await second.page.setViewportSize({ width: 360, height: 740 })
    await second.page.evaluate(() => document.activeElement.blur())
    await second.page.mouse.click(2, 2)
    let [before, stops] = [0, 0]
    for (; stops < TABS_AT_MOST; stops++) {
      await second.page.keyboard.press('Tab')
      const now = await shownFocus(second.page)
      if (now.body) break
      assert.ok(now.ring && now.width > 0, `no ring around ${now.at}`)
      assert.ok(now.bottom > before, `Tab goes up to ${now.at}`)
      before = now.top
    }
    assert.ok(stops > 15 && stops < TABS_AT_MOST, `${stops} stops`)
  })

  await scene.step('it is closed, and removed; the focus stays in its section', async () => {
    await tabTo(second.page, 'Close')
    await second.page.keyboard.press('Enter')
    await second.saveButton.waitFor({ state: 'detached' })
    assert.equal((await focused(second.page)).name, 'Open')
    await tabTo(second.page, `Remove ${file.name}`)
    await second.page.keyboard.press('Space')
    await second.myFiles.getByText('Nothing is kept yet').waitFor()
    assert.equal((await focused(second.page)).name, 'My files')
  })
})

journey('adding is cancelled by keyboard alone', async scene => {
  const relay = await scene.relay()
  const page = await scene.visitor('only', relay.page)
  await page.statusText(/ready/i)
  const file = await scene.file('large.bin', 400 * MB)
  await page.chooseFiles.setInputFiles(file.path)
  await page.cancelButton.waitFor()
  await tabTo(page.page, 'Cancel')
  await page.page.keyboard.press('Enter')
  await page.statusText(/cancelled/i)
  assert.equal((await focused(page.page)).name, 'Share')
  await tabTo(page.page, 'Choose files')
})

const WIDTHS = [{ width: 360, height: 740 }, { width: 1280, height: 800 }]

for (const viewport of WIDTHS) {
  for (const colorScheme of ['light', 'dark']) {
    journey(`${viewport.width} px wide, ${colorScheme}: nothing scrolls sideways, everything is there`, async scene => {
      const relay = await scene.relay()
      const browser = await scene.chromium('narrow', { viewport, colorScheme })
      const page = await AvocetPage.open(browser, relay.page)
      const name = `${'a very long name without any place to break '.replaceAll(' ', '_').repeat(4)}.bin`
      const file = await scene.file(name, 200_000)
      await page.share(file.path)
      const link = await page.reachableLink()
      await noSideways(page.page)
      await page.page.goto(link)
      await page.compareSaved(file)
      await noSideways(page.page)
      for (const part of [page.openField, page.openButton, page.chooseFiles, page.chooseFolder]) {
        assert.equal(await part.count() > 0, true)
      }
      assert.equal(await page.myFiles.count(), 1)
      assert.equal(await page.peers.count(), 1)
      const unnamed = await unnamedControls(page.page)
      assert.deepEqual(unnamed, [], 'controls without a name')
    })
  }
}

async function noSideways (page) {
  const { scroll, width } = await page.evaluate(() => ({ scroll: document.documentElement.scrollWidth, width: innerWidth }))
  assert.ok(scroll <= width, `the page is ${scroll} px wide in a window of ${width}`)
}

/** Roles of buttons, fields and links that a screen reader would find without a name. */
async function unnamedControls (page) {
  const session = await page.context().newCDPSession(page)
  const { nodes } = await session.send('Accessibility.getFullAXTree')
  await session.detach()
  return nodes.filter(node => !node.ignored && ['button', 'textbox', 'link', 'progressbar', 'combobox', 'checkbox'].includes(node.role?.value))
    .filter(node => (node.name?.value ?? '').trim() === '').map(node => node.role.value)
}

journey('the page can be used before the wasm is in', async scene => {
  const relay = await scene.relay()
  const browser = await scene.chromium('slow')
  let letGo
  const held = new Promise(resolve => { letGo = resolve })
  await browser.context.route(/\.wasm(\?|$)/, async route => {
    await held
    await route.continue()
  })
  const page = await AvocetPage.open(browser, relay.page)
  const file = await scene.file('early.bin', 1 * MB)
  await page.openField.fill('typed early')
  await page.chooseFiles.setInputFiles(file.path)
  assert.equal(await page.openField.inputValue(), 'typed early')
  assert.equal(await page.linkNow(), '')
  letGo()
  await page.newLink()
})

journey('no policy is broken, nothing is asked of another host', async scene => {
  const relay = await scene.relay()
  const browser = await scene.chromium('policy')
  const hosts = new Set()
  browser.context.on('request', request => { if (/^https?:/.test(request.url())) hosts.add(new URL(request.url()).origin) })
  const page = await AvocetPage.open(browser, relay.page)
  const response = await page.page.reload()
  const policy = response.headers()['content-security-policy'] ??
    await page.page.locator('meta[http-equiv="Content-Security-Policy" i]').getAttribute('content')
  assert.ok(policy, 'there is no content policy')
  assert.doesNotMatch(/script-src[^;]*/.exec(policy)?.[0] ?? '', /'unsafe-inline'|'unsafe-eval'|\*(\s|$)/)
  const file = await scene.file('policy.bin', 100_000)
  await page.share(file.path)
  await page.reachableLink()
  assert.deepEqual([...hosts], [new URL(relay.page).origin])
})
