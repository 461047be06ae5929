// The page by plain http from another address than localhost: no secure context, so no crypto.subtle, no Web Locks,
// no OPFS, no clipboard. Wasm hashing and leases take over; what else is missing is said.
import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { MB } from '../support/files.mjs'
import { journey } from '../support/journey.mjs'
import { AvocetPage } from '../support/page.mjs'

/** An address of this machine that browsers do not take for localhost. */
function lanAddress () {
  return Object.values(networkInterfaces()).flat().find(face => face.family === 'IPv4' && !face.internal)?.address
}

const host = lanAddress()
const skip = host === undefined ? 'this machine has no address but loopback' : false

journey('two browsers share by plain http on a LAN address', async scene => {
  const relay = await scene.relay({ host })
  const file = await scene.file('by plain http.bin', 10 * MB)
  const page = relay.page.includes(host) ? relay.page : relay.page.replace(/\/\/[^:/]+/, `//${host}`)
  const first = await scene.visitor('first', page)
  let link

  await scene.step('it is no secure context, and the page says what is missing', async () => {
    assert.deepEqual(await first.page.evaluate(() => [isSecureContext, 'subtle' in crypto, 'locks' in navigator]), [false, false, false])
    await first.page.getByText(/plain http/i).first().waitFor()
  })

  await scene.step('a file is shared and fetched', async () => {
    await first.share(file.path)
    link = await first.reachableLink()
    assert.match(decodeURIComponent(link), new RegExp(`from=/ip4/${host.replaceAll('.', '\\.')}/`))
    const second = await scene.visitor('second', link)
    await second.compareSaved(file)
  })

  await scene.step('two tabs are two peers there too, by leases', async () => {
    const another = await AvocetPage.open(first.browser, page)
    const small = await scene.file('small.bin', 100_000)
    await another.share(small.path)
    const id = text => /webrtc%2Fp2p%2F(\w+)/.exec(text)[1]
    assert.notEqual(id(await another.reachableLink()), id(link))
    const third = await scene.visitor('third', await another.reachableLink())
    await third.compareSaved(small)
  })

  await scene.step('Copy link copies, or says how to copy by hand', async () => {
    await first.copyButton.first().click()
    await first.statusText(/copied|copy it|ctrl/i)
  })
}, { skip })
