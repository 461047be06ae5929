// Browsers that lack what the page lives on: it says so, and does what is left.
import assert from 'node:assert/strict'
import { MB, sha256File } from '../support/files.mjs'
import { journey } from '../support/journey.mjs'
import { cidOf } from '../support/page.mjs'
import { LONG, until } from '../support/wait.mjs'

const without = name => `
  delete globalThis[${JSON.stringify(name)}]
  Object.defineProperty(globalThis, ${JSON.stringify(name)}, { value: undefined, configurable: true })
`

journey('a browser without WebRTC says so, and keeps files', async scene => {
  const relay = await scene.relay()
  const init = ['RTCPeerConnection', 'webkitRTCPeerConnection', 'RTCDataChannel'].map(without)
  const only = await scene.visitor('no-webrtc', relay.page, { init })
  await only.page.getByText(/cannot connect to other browsers|WebRTC is missing/i).first().waitFor()
  const file = await scene.file('kept.bin', 1 * MB)
  const link = await only.share(file.path)
  await only.page.goto(`${relay.page}#/ipfs/${cidOf(link)}`)
  assert.equal(await sha256File((await only.save()).path), file.sha256)
})

journey('a browser without IndexedDB says so, and shares from memory', async scene => {
  const relay = await scene.relay()
  const only = await scene.visitor('no-indexeddb', relay.page, { init: [without('indexedDB')] })
  await only.page.getByText(/does not let the page keep|IndexedDB is missing/i).first().waitFor()
  const file = await scene.file('from memory.bin', 2 * MB)
  await only.share(file.path)
  const second = await scene.visitor('second', await only.reachableLink())
  await second.compareSaved(file)
})

journey('a browser whose IndexedDB refuses to open says so', async scene => {
  const relay = await scene.relay()
  const init = [`IDBFactory.prototype.open = function () {
    const request = new EventTarget()
    setTimeout(() => {
      request.error = new DOMException('refused', 'SecurityError')
      const event = new Event('error')
      request.onerror?.(event)
      request.dispatchEvent(event)
    })
    return request
  }`, 'IDBFactory.prototype.open = function () { throw new DOMException("refused", "SecurityError") }']
  const only = await scene.visitor('refusing', relay.page, { init })
  await until('the page says what is wrong', async () =>
    await only.page.getByText(/does not let the page keep|IndexedDB|storage/i).count() > 0, LONG)
})

journey('a browser without OPFS saves all the same', async scene => {
  const relay = await scene.relay()
  const file = await scene.file('no opfs.bin', 3 * MB)
  const first = await scene.visitor('first', relay.page)
  await first.share(file.path)
  const init = ['delete StorageManager.prototype.getDirectory']
  const second = await scene.visitor('no-opfs', await first.reachableLink(), { init })
  await second.compareSaved(file)
})

journey('a page whose relay is down starts all the same, and says that it tries', async scene => {
  const relay = await scene.relay()
  const only = await scene.visitor('only', relay.page)
  await only.statusText(/ready/i)
  await relay.stop()
  await only.statusText(/relay|connect|reach/i)
  const file = await scene.file('meanwhile.bin', 1 * MB)
  await only.share(file.path)
  await relay.start()
  await only.reachableLink()
})

journey('persistent storage is asked for when the first file is shared, not before', async scene => {
  const relay = await scene.relay()
  const init = [`(() => {
    const native = StorageManager.prototype.persist
    globalThis.asked = 0
    StorageManager.prototype.persist = function () { globalThis.asked++; return native.call(this) }
  })()`]
  const only = await scene.visitor('asked', relay.page, { init })
  await only.statusText(/ready/i)
  assert.equal(await only.page.evaluate(() => asked), 0)
  const file = await scene.file('first file.bin', 10_000)
  await only.share(file.path)
  await until('the browser was asked', () => only.page.evaluate(() => asked > 0))
})
