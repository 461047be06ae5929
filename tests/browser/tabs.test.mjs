// Two tabs of one origin: each a peer of its own, one store under both.
import assert from 'node:assert/strict'
import { MB, MIB } from '../support/files.mjs'
import { journey } from '../support/journey.mjs'
import { dialable, openPackage, packageRoutes, startPeer } from '../support/package-page.mjs'
import { AvocetPage, cidOf } from '../support/page.mjs'
import { until } from '../support/wait.mjs'

const peerIdOf = link => /webrtc%2Fp2p%2F(\w+)/.exec(link)[1]
const fromOf = link => /from=([^&]+)/.exec(link)[1]

journey('two tabs of one page share, as two peers over one store', async scene => {
  const relay = await scene.relay()
  const browser = await scene.chromium('two-tabs')
  const one = await AvocetPage.open(browser, relay.page)
  const two = await AvocetPage.open(browser, relay.page)
  const files = [await scene.file('of the first tab.bin', 4 * MB), await scene.file('of the second tab.bin', 5 * MB)]
  await one.share(files[0].path)
  await two.share(files[1].path)
  const links = [await one.reachableLink(), await two.reachableLink()]

  await scene.step('they are two peers', () => {
    assert.notEqual(peerIdOf(links[0]), peerIdOf(links[1]))
  })

  await scene.step('another browser gets a file from each', async () => {
    const other = await scene.visitor('other', links[0])
    await other.compareSaved(files[0])
    await other.fetchAndCompare(links[1], files[1])
    await other.browser.close()
  })

  await scene.step('the second tab gives what the first added, when the first is closed', async () => {
    await one.page.close({ runBeforeUnload: true })
    await until('the first tab is closed', () => one.page.isClosed())
    const link = `${relay.page}#/ipfs/${cidOf(links[0])}?name=${encodeURIComponent(files[0].name)}&from=${fromOf(links[1])}`
    const other = await scene.visitor('another', link)
    await other.compareSaved(files[0])
  })

  await scene.step('a new tab takes the free identity again', async () => {
    const again = await AvocetPage.open(browser, relay.page)
    const file = await scene.file('of the third tab.bin', 1 * MB)
    await again.share(file.path)
    const id = peerIdOf(await again.reachableLink())
    assert.equal(id, peerIdOf(links[0]))
  })
})

journey('the same peer is never twice on the network, however many tabs start at once', async scene => {
  const relay = await scene.relay()
  const { origin } = await scene.serve(packageRoutes)
  const browser = await scene.chromium('many')
  const tabs = []
  for (let i = 0; i < 5; i++) tabs.push(await openPackage(browser, origin))
  const ids = await Promise.all(tabs.map(tab => tab.page.evaluate(
    relays => kit.start({ store: 'shared', relays }), [relay.relay]
  )))
  assert.equal(new Set(ids).size, 5, ids.join(' '))
  const again = await startPeer(browser, origin, { store: 'shared' })
  assert.ok(!ids.includes(again.id))
  await tabs[2].page.evaluate(() => peer.stop())
  const heir = await startPeer(browser, origin, { store: 'shared' })
  assert.equal(heir.id, ids[2], 'the identity that became free is taken first')
})

journey('collecting in one tab leaves the import of another alone', async scene => {
  const { origin } = await scene.serve(packageRoutes)
  const browser = await scene.chromium('collect')
  const adder = await startPeer(browser, origin, { store: 'shared' })
  const collector = await startPeer(browser, origin, { store: 'shared' })

  const old = await collector.page.evaluate(async () => (await peer.add(kit.random(3 * 1024 * 1024))).cid)
  // A stream that stands in the middle until it is told to go on.
  await adder.page.evaluate(async size => {
    const half = kit.random(size)
    globalThis.bytes = kit.random(2 * size)
    bytes.set(half, 0)
    globalThis.goOn = Promise.withResolvers()
    globalThis.stands = Promise.withResolvers()
    let sent = 0
    const stream = new ReadableStream({
      async pull (controller) {
        if (sent === size) {
          stands.resolve()
          await goOn.promise
        }
        if (sent === 2 * size) return controller.close()
        controller.enqueue(bytes.slice(sent, sent + 65536))
        sent += 65536
      }
    }, { highWaterMark: 0 })
    globalThis.adding = peer.add(stream)
    await stands.promise
  }, 24 * MIB)

  const freed = await collector.page.evaluate(async cid => {
    await peer.pins.rm(cid)
    return await peer.gc()
  }, old)
  assert.ok(freed.bytes >= 3 * MIB, `the removed file was not freed: ${JSON.stringify(freed)}`)
  const { cid, sha256 } = await adder.page.evaluate(async () => {
    goOn.resolve()
    return { cid: (await adding).cid, sha256: await kit.sha256(bytes) }
  })
  assert.deepEqual(await collector.page.evaluate(path => kit.read(path), cid), { size: 48 * MIB, sha256 })
  const { blocks } = await collector.page.evaluate(() => peer.gc())
  assert.equal(blocks, 0, 'a pinned import is collected')
})

journey('Remove frees the bytes and says how many', async scene => {
  const relay = await scene.relay()
  const only = await scene.visitor('only', relay.page)
  const [gone, kept] = [await scene.file('gone.bin', 6 * MB), await scene.file('kept.bin', 2 * MB)]
  await only.share(gone.path)
  await only.page.reload()
  await only.share(kept.path)
  await only.myFiles.getByRole('button', { name: `Remove ${gone.name}` }).click()
  const said = await only.statusText(/freed/i)
  assert.match(said, /\b(6|5\.7)(\.\d+)? ?M/i, said)
  const listed = name => only.myFiles.getByRole('button', { name: `Remove ${name}` }).count()
  await until('it is not listed any more', async () => await listed(gone.name) === 0)
  await only.page.reload()
  await only.myFiles.getByText(kept.name).first().waitFor()
  assert.equal(await listed(gone.name), 0)
})

journey('what one tab shares is dialled under the address of that tab', async scene => {
  const relay = await scene.relay()
  const { origin } = await scene.serve(packageRoutes)
  const browser = await scene.chromium('pair')
  const one = await startPeer(browser, origin, { store: 'shared', relays: [relay.relay] })
  const two = await startPeer(browser, origin, { store: 'shared', relays: [relay.relay] })
  for (const { page, id } of [one, two]) {
    const addr = await dialable(page)
    assert.ok(addr.endsWith(`/p2p/${id}`), addr)
    assert.ok(addr.startsWith(relay.relay), addr)
  }
})
