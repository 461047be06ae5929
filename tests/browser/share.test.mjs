// The journey that the whole thing is for: 50 MB from one browser to another, and on to a third when the first is gone.
import assert from 'node:assert/strict'
import { MB, sha256File } from '../support/files.mjs'
import { journey } from '../support/journey.mjs'
import { AvocetPage, cidOf } from '../support/page.mjs'
import { LONG, until } from '../support/wait.mjs'

const SIZE = 50 * MB
/** What the way over the relay may carry beside 50 MB: signalling, identify, pings and the DHT. */
const SIGNALLING_AT_MOST = 1 * MB

journey('50 MB from browser to browser, then from the second to a third', async scene => {
  const relay = await scene.relay()
  const file = await scene.file('holiday film.mp4.bin', SIZE)
  let first, second, third, link

  await scene.step('a file dropped onto the page gives a link', async () => {
    first = await scene.visitor('first', relay.page)
    await first.drop(file.path)
    link = await first.reachableLink()
    assert.ok(link.startsWith(relay.page), link)
    assert.match(link, /name=holiday%20film\.mp4\.bin/)
    await first.page.getByRole('img', { name: /QR/ }).first().waitFor()
  })

  await scene.step('it says that nobody else holds it yet', async () => {
    await first.page.getByText(/keep this page open/i).first().waitFor()
  })

  await scene.step('the link, opened in another browser, gives the same bytes', async () => {
    second = await scene.visitor('second', link)
    await second.compareSaved(file)
  })

  await scene.step('they went straight from the one to the other', async () => {
    const { sent } = await first.tab.direct()
    const { received } = await second.tab.direct()
    assert.ok(sent > SIZE, `the first sent ${sent} bytes over WebRTC`)
    assert.ok(received > SIZE, `the second received ${received} bytes over WebRTC`)
    for (const { tab } of [first, second]) {
      assert.ok(tab.socketBytes < SIGNALLING_AT_MOST, `${tab.name}: ${tab.socketBytes} bytes went over WebSockets`)
    }
    await until('Peers lists the first as direct, by WebRTC', async () => {
      const text = await second.peers.innerText()
      return /webrtc/i.test(text) && /direct/i.test(text)
    })
  })

  await scene.step('the first says that one other holds it now', async () => {
    await first.page.getByText(/one other device holds it/i).first().waitFor({ timeout: LONG })
  })

  await scene.step('the second keeps it: My files lists it after a reload', async () => {
    await second.page.goto(relay.page)
    await second.myFiles.getByText(file.name).first().waitFor()
  })

  await scene.step('the first is closed; a third opens the same link from the second', async () => {
    await first.browser.close()
    third = await scene.visitor('third', link)
    await third.compareSaved(file)
    assert.ok((await second.tab.direct()).sent > SIZE, 'the second did not send it')
  })

  await scene.step('the bare CID is enough for a fourth, the second being gone as well', async () => {
    await second.browser.close()
    const fourth = await scene.visitor('fourth', relay.page)
    await fourth.openByHand(cidOf(link))
    const { path } = await fourth.save(fourth.saveButton)
    assert.equal(await sha256File(path), file.sha256)
  })
}, { timeout: 2 * 240_000 })

journey('a reload of either side changes nothing for the other', async scene => {
  const relay = await scene.relay()
  const file = await scene.file('reload.bin', 20 * MB)
  const first = await scene.visitor('first', relay.page)
  await first.share(file.path)
  const link = await first.reachableLink()

  await scene.step('the sender reloads, the link goes on to work', async () => {
    await first.page.reload()
    await first.myFiles.getByText(file.name).first().waitFor()
    const second = await scene.visitor('second', link)
    await second.compareSaved(file)
  })

  await scene.step('the sender has the same peer id as before', async () => {
    const id = /p2p%2F(12D3Koo\w+)$/.exec(/from=([^&]+)/.exec(link)[1])[1]
    const another = await scene.file('another.bin', 1 * MB)
    await first.share(another.path)
    assert.match(await first.reachableLink(), new RegExp(`p2p%2F${id}`))
  })

  await scene.step('a receiver that reloads in the middle goes on and ends with the same bytes', async () => {
    const large = await scene.file('large.bin', 100 * MB)
    await first.share(large.path)
    const third = await scene.visitor('third', await first.reachableLink())
    await third.inTheMiddle()
    await third.page.reload()
    await third.compareSaved(large)
  })
})

journey('two links of one page after another, each gives its own file', async scene => {
  const relay = await scene.relay()
  const first = await scene.visitor('first', relay.page)
  const files = [await scene.file('one.bin', 2 * MB), await scene.file('two.bin', 3 * MB)]
  const links = []
  for (const file of files) {
    await first.share(file.path)
    links.push(await first.reachableLink())
    await first.page.reload()
  }
  const second = await scene.visitor('second', relay.page)
  for (const [i, file] of files.entries()) await second.fetchAndCompare(links[i], file)
  await scene.step('a second tab of the receiver opens it too', async () => {
    const tab = await AvocetPage.open(second.browser, links[0])
    await tab.heading(files[0].name).first().waitFor({ timeout: LONG })
    await tab.compareSaved(files[0])
  })
})
