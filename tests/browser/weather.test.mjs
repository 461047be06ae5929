// Bad weather: whoever has the file is killed, the relay goes and comes, the network goes and comes, a transfer is
// cancelled. Order is asserted, within generous bounds; seconds are asserted on the simulated clock elsewhere.
import assert from 'node:assert/strict'
import { cidText } from '../interop/bitswap.mjs'
import { MB, randomBytes, sha256File } from '../support/files.mjs'
import { journey } from '../support/journey.mjs'
import { AvocetPage } from '../support/page.mjs'
import { LONG, PATIENCE, until } from '../support/wait.mjs'

/** Large enough that a transfer is surely in its middle when a test acts on it. */
const LARGE = 120 * MB

journey('the browser that sends is killed: another holder finishes it', async scene => {
  const relay = await scene.relay()
  const file = await scene.file('two holders.bin', LARGE)
  const first = await scene.visitor('first', relay.page)
  await first.share(file.path)
  const link = await first.reachableLink()
  const second = await scene.visitor('second', link)
  await second.compareSaved(file)
  const third = await scene.visitor('third', link)
  await third.inTheMiddle()
  await first.browser.kill()
  await third.compareSaved(file)
  assert.ok((await second.tab.direct()).sent > MB, 'the second sent nothing: the kill came too late to show anything')
})

journey('the only holder is killed: it is said, and it goes on when the holder is back', async scene => {
  const relay = await scene.relay()
  const file = await scene.file('one holder.bin', LARGE)
  const first = await scene.visitor('first', relay.page)
  await first.share(file.path)
  const second = await scene.visitor('second', await first.reachableLink())
  await second.inTheMiddle()

  await scene.step('the receiver says so', async () => {
    await first.browser.kill()
    await second.statusText(/gone|nothing has come/i)
  })

  await scene.step('the peer is gone before ICE says so', async () => {
    const ice = await second.page.evaluate(() => globalThis.__witness.connections.map(pc => pc.iceConnectionState))
    const listed = await second.peers.innerText()
    assert.ok(!/webrtc/i.test(listed) || ice.includes('connected'), `listed after ICE gave up: ${ice}`)
  })

  await scene.step('it resumes and finishes when the holder is back', async () => {
    const again = await scene.chromium('first-again', { after: first.browser })
    await AvocetPage.open(again, relay.page)
    await second.compareSaved(file)
  })
})

journey('the relay restarts: tabs reserve and provide again by themselves', async scene => {
  const relay = await scene.relay()
  const file = await scene.file('restart.bin', 5 * MB)
  const first = await scene.visitor('first', relay.page)
  await first.share(file.path)
  const link = await first.reachableLink()
  await relay.restart()

  await scene.step('a link from before works in a new browser', async () => {
    const second = await scene.visitor('second', link)
    await second.compareSaved(file)
    await second.browser.close()
  })

  await scene.step('the CID alone is found as well', async () => {
    const third = await scene.visitor('third', link.replace(/\?.*$/, ''))
    const saved = await third.save()
    assert.equal(await sha256File(saved.path), file.sha256)
  })
})

journey('the relay goes during a transfer: the direct connection goes on', async scene => {
  const relay = await scene.relay()
  const file = await scene.file('without relay.bin', LARGE)
  const first = await scene.visitor('first', relay.page)
  await first.share(file.path)
  const second = await scene.visitor('second', await first.reachableLink())
  await second.inTheMiddle()
  await relay.stop('SIGKILL')
  await second.compareSaved(file)
})

journey('a transfer is cancelled and opened again', async scene => {
  const relay = await scene.relay()
  const file = await scene.file('cancelled.bin', LARGE)
  const first = await scene.visitor('first', relay.page)

  await scene.step('adding is cancelled: no link, then again', async () => {
    await first.chooseFiles.setInputFiles(file.path)
    await first.cancelButton.first().click()
    await first.statusText(/cancelled/i)
    assert.equal(await first.linkNow(), '')
    await first.page.reload()
    await first.share(file.path)
  })

  let second
  await scene.step('fetching is cancelled: it stops', async () => {
    second = await scene.visitor('second', await first.reachableLink())
    await second.inTheMiddle()
    assert.match(await second.page.locator('body').innerText(), /\d+(\.\d+)? ?[kM]B.*\/s/s, 'no bytes and no speed are told')
    await second.cancelButton.first().click()
    await second.statusText(/cancelled/i)
    await until('no bar is left', async () => await second.progressNow() === undefined)
    await until('nothing arrives any more', async () => {
      const before = (await second.tab.direct()).received
      await second.page.evaluate(() => new Promise(resolve => setTimeout(resolve, 500)))
      return (await second.tab.direct()).received - before < 100_000
    })
  })

  await scene.step('and again, to its end', async () => {
    await second.page.reload()
    await second.compareSaved(file)
  })
})

journey('whoever closes the page while somebody fetches from it is warned', async scene => {
  const relay = await scene.relay()
  const file = await scene.file('warned.bin', LARGE)
  const first = await scene.visitor('first', relay.page)
  await first.share(file.path)
  // Browsers ask nothing of a page that nobody has touched.
  await first.page.mouse.click(2, 300)
  await first.page.close({ runBeforeUnload: true })
  assert.equal(first.tab.warnings, 0, 'warned though nobody fetches')
  await until('the page is closed without a question', () => first.page.isClosed())

  const again = await AvocetPage.open(first.browser, relay.page)
  const small = await scene.file('warned twice.bin', LARGE)
  await again.share(small.path)
  const second = await scene.visitor('second', await again.reachableLink())
  await second.inTheMiddle()
  await until('the sender shows how far it is', async () => await again.progressNow() !== undefined)
  await again.page.mouse.click(2, 300)
  await again.page.close({ runBeforeUnload: true })
  await until('a warning was shown', () => again.tab.warnings > 0)
  await until('the page is closed all the same', () => again.page.isClosed())
})

journey('offline and online again', async scene => {
  const relay = await scene.relay()
  const file = await scene.file('online.bin', 3 * MB)
  const first = await scene.visitor('first', relay.page)
  await first.share(file.path)
  const link = await first.reachableLink()
  const second = await scene.visitor('second', relay.page)
  await second.statusText(/ready/i)
  await second.browser.context.setOffline(true)
  await second.statusText(/offline/i)
  await second.openByHand(link)
  await second.browser.context.setOffline(false)
  await second.compareSaved(file)
})

journey('nobody has it: it says whom it asked, and looks on until it is cancelled', async scene => {
  const relay = await scene.relay()
  const only = await scene.visitor('only', relay.page)
  // A digest made of chance: nobody ever had what it names.
  await only.openByHand(cidText(Uint8Array.from([1, 0x55, 0x12, 32, ...randomBytes('nobody')(32)])))
  await only.statusText(/asked|asking|looking/i, LONG)
  await until('a bar or a sentence shows that it goes on', () => only.cancelButton.first().isVisible())
  const told = await only.statusText(/nobody|asked \d|asking \d/i, LONG)
  assert.match(told, /\d/, `it does not say how many it asked: ${told}`)
  await only.cancelButton.first().click()
  await only.statusText(/cancelled/i, PATIENCE)
})
