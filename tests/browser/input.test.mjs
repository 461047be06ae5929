// What people paste, choose and send that is not as it should be.
import assert from 'node:assert/strict'
import { appendFile, open, rm } from 'node:fs/promises'
import { cidText, concat, fileBlocks, varint } from '../interop/bitswap.mjs'
import { MB, MIB, sha256 } from '../support/files.mjs'
import { journey } from '../support/journey.mjs'
import { dialable, openPackage, packageRoutes, startPeer } from '../support/package-page.mjs'
import { until } from '../support/wait.mjs'

const NOT_A_LINK = ['hello there', 'https://example.org/', '#/ipfs/', 'bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzd1']

journey('what is no link is refused with what to do about it', async scene => {
  const relay = await scene.relay()
  const only = await scene.visitor('only', relay.page)
  for (const text of NOT_A_LINK) {
    await only.openByHand(text)
    const said = await only.alertText(/\S/)
    assert.match(said, /copy|paste|link/i, `${text}: ${said}`)
    await only.page.reload()
  }
})

journey('a CID of a codec that is no file is said to be none', async scene => {
  const relay = await scene.relay()
  const { origin } = await scene.serve(packageRoutes)
  const holder = await startPeer(await scene.chromium('holder'), origin, { store: 'memory', relays: [relay.relay] })
  const from = encodeURIComponent(await dialable(holder.page))
  const cid = await holder.page.evaluate(async () => (await peer.block.put(Uint8Array.of(0xa0), { codec: 'dag-cbor', hash: 'sha2-256' })).cid)
  const only = await scene.visitor('only', `${relay.page}#/ipfs/${cid}?from=${from}`)
  await only.alertText(/cannot be (opened|shown)|neither a file nor a folder|format/i)
})

journey('an empty file is shared and saved', async scene => {
  const relay = await scene.relay()
  const file = await scene.file('nothing.txt', 0)
  const first = await scene.visitor('first', relay.page)
  await first.share(file.path)
  const second = await scene.visitor('second', await first.reachableLink())
  await second.compareSaved(file)
})

// ---- a directory as only an attacker writes it

const field = (number, bytes) => concat(varint((number << 3) | 2), varint(bytes.length), bytes)
const text = string => new TextEncoder().encode(string)

function hostileDirectory (leaf, names) {
  const cid = Uint8Array.from([1, 0x55, 0x12, 32, ...Buffer.from(sha256(leaf), 'hex')])
  const links = names.map(name => field(2, concat(field(1, cid), field(2, name), Uint8Array.of(0x18, leaf.length))))
  return concat(...links, field(1, Uint8Array.of(8, 1)))
}

const HOSTILE = [
  '', '.', '..', '../../evil.txt', 'a/b.txt', '..\\evil.txt', '<img src=x onerror=alert(1)>', '</script><script>alert(2)</script>',
  'nul\0name', 'line\nbreak', 'turned\u202etxt.exe', 'twice', 'twice', `long${'x'.repeat(4000)}`, 'javascript:alert(3)', 'good.txt'
]

journey('dir-02 to dir-06: a folder with hostile names is text on the page and safe in the zip', async scene => {
  const relay = await scene.relay()
  const { origin } = await scene.serve(packageRoutes)
  const holder = await startPeer(await scene.chromium('holder'), origin, { store: 'memory', relays: [relay.relay] })
  const leaf = text('harmless')
  const names = [...HOSTILE.map(text), Uint8Array.of(0xff, 0xfe)]
  const node = hostileDirectory(leaf, names.sort(Buffer.compare))
  const cid = await holder.page.evaluate(async ([block, content]) => {
    await peer.block.put(Uint8Array.from(content), { codec: 'raw', hash: 'sha2-256' })
    return (await peer.block.put(Uint8Array.from(block), { codec: 'dag-pb', hash: 'sha2-256' })).cid
  }, [[...node], [...leaf]])
  const from = encodeURIComponent(await dialable(holder.page))
  const only = await scene.visitor('only', `${relay.page}#/ipfs/${cid}?from=${from}&name=${encodeURIComponent('<b>pretty</b>')}`)
  await until('the folder is listed, or refused with a reason', async () =>
    await only.page.getByText('good.txt', { exact: true }).count() > 0 || await only.alert.count() > 0)
  assert.equal(await only.page.locator('img[src="x"], img[onerror]').count(), 0)
  assert.equal(await only.page.locator('a[href^="javascript:"]').count(), 0)
  assert.equal(await only.page.locator('b', { hasText: 'pretty' }).count(), 0)
  assert.ok(!(await only.page.locator('body').innerText()).includes('\u202e'))
})

journey('a file that changes or vanishes while it is read is refused, and nothing of it stays', async scene => {
  const { origin } = await scene.serve(packageRoutes)
  const tab = await openPackage(await scene.chromium('only'), origin)
  await tab.page.evaluate(() => kit.start({ store: 'changes' }))
  for (const change of ['appended to', 'removed', 'removed before its first use']) {
    const file = await scene.file(`${change}.bin`, 8 * MB)
    await tab.page.getByLabel('file', { exact: true }).setInputFiles(file.path)
    // From its first use on, a File stands for what was on the disk then. One that was gone before looks empty, and
    // only a read of the whole of it, not of a slice, says that there is nothing.
    if (!/before/.test(change)) {
      assert.equal(await tab.page.evaluate(() => document.querySelector('input').files[0].size), 8 * MB)
    }
    await (change === 'appended to' ? appendFile(file.path, 'more') : rm(file.path))
    const refused = await tab.page.evaluate(() => kit.refused(peer.add(document.querySelector('input').files[0])))
    assert.equal(refused.isError, true)
    assert.match(refused.message, /read|change|file/i)
    assert.deepEqual(await tab.page.evaluate(() => kit.all(peer.pins.ls())), [])
    await tab.page.evaluate(() => peer.gc())
    assert.equal(await tab.page.evaluate(async () => (await peer.usage()).blocks), 0, `${change}: blocks stay`)
  }
})

journey('a file is read by a worker, piece by piece: all of it, or none once it has changed', async scene => {
  const { origin } = await scene.serve(packageRoutes)
  const tab = await openPackage(await scene.chromium('only'), origin)
  await tab.page.evaluate(() => kit.start({ store: 'pieces' }))
  const choose = async (name, size) => {
    const file = await scene.file(name, size)
    await tab.page.getByLabel('file', { exact: true }).setInputFiles(file.path)
    return file
  }
  const kept = await choose('kept.bin', 9 * MB)
  const { cid } = await tab.page.evaluate(() => peer.add(document.querySelector('input').files[0]))
  await rm(kept.path)
  await tab.page.evaluate(async () => { await peer.stop(); await kit.start({ store: 'pieces' }) })
  assert.deepEqual(await tab.page.evaluate(cid => kit.read(cid), cid), { size: 9 * MB, sha256: kept.sha256 })

  let path
  const rewrite = async () => {
    const file = await open(path, 'r+')
    await file.write(Buffer.alloc(3 * MB), 0, 3 * MB, 0)
    await file.close()
  }
  let change
  await tab.page.exposeFunction('change', () => change())
  for (change of [rewrite, () => appendFile(path, 'more'), () => rm(path)]) {
    path = (await choose('changed.bin', 20 * MB)).path
    // What is read second is asked for after the change.
    const refused = await tab.page.evaluate(async () => {
      const { postMessage } = Worker.prototype
      let first
      let changed
      Worker.prototype.postMessage = function (message, given) {
        const send = () => postMessage.call(this, message, given)
        const window = message[1] === 'take' && message[2].id
        first ??= window || undefined
        if (!window || window === first) return send()
        changed ??= change()
        changed.then(send)
      }
      const refused = await kit.refused(peer.add(document.querySelector('input').files[0]))
      Worker.prototype.postMessage = postMessage
      return { ...refused, changed: changed !== undefined }
    })
    assert.equal(refused.changed, true)
    assert.equal(refused.code, 'NOT_FOUND', JSON.stringify(refused))
    assert.match(refused.message, /changed\.bin.*changed or vanished/)
    assert.equal((await tab.page.evaluate(() => kit.all(peer.pins.ls()))).length, 1)
  }
})

journey('quota exceeded in the middle: nothing half kept, what was there stays readable', async scene => {
  const { origin } = await scene.serve(packageRoutes)
  const tab = await openPackage(await scene.chromium('full'), origin)
  const session = await tab.page.context().newCDPSession(tab.page)
  // Before the first write: the browser remembers for a while how much room there was.
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 30 * MIB })
  const before = await tab.page.evaluate(async size => {
    await kit.start({ store: 'quota' })
    const bytes = kit.random(size)
    return { cid: (await peer.add(bytes)).cid, sha256: await kit.sha256(bytes) }
  }, 5 * MIB)
  const refused = await tab.page.evaluate(size => kit.refused(peer.add(kit.random(size))), 64 * MIB)
  assert.equal(refused.code, 'QUOTA', JSON.stringify(refused))
  assert.match(refused.message, /free|remove|room|space/i)
  assert.deepEqual(await tab.page.evaluate(cid => kit.read(cid), before.cid), { size: 5 * MIB, sha256: before.sha256 })
  assert.equal((await tab.page.evaluate(() => kit.all(peer.pins.ls()))).length, 1)
  await session.send('Storage.overrideQuotaForOrigin', { origin })
  await tab.page.evaluate(() => peer.gc())
  const { used } = await tab.page.evaluate(() => peer.usage())
  assert.ok(used < 8 * MIB, `${used} bytes stay after a collection`)
  assert.ok(await tab.page.evaluate(async () => (await peer.add(kit.random(100_000))).cid))
})

journey('idb-01: a block that was altered in the store is never given', async scene => {
  const { origin } = await scene.serve(packageRoutes)
  const tab = await openPackage(await scene.chromium('altered'), origin)
  const cid = await tab.page.evaluate(async () => {
    await kit.start({ store: 'altered' })
    return (await peer.add(kit.random(500_000))).cid
  })
  await tab.page.evaluate(async () => {
    await peer.stop()
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('avocet-packs-altered')
    let flipped = 0
    for await (const handle of folder.values()) {
      const file = await handle.getFile()
      if (file.size === 0) continue
      const [byte] = new Uint8Array(await file.slice(1000, 1001).arrayBuffer())
      // Once the browser has ended the worker that had it open.
      const writable = () => handle.createWritable({ keepExistingData: true }).catch(() => new Promise(resolve => setTimeout(resolve, 10)))
      let stream
      while (!stream) stream = await writable()
      await stream.write({ type: 'write', position: 1000, data: new Uint8Array([byte ^ 1]) })
      await stream.close()
      flipped++
    }
    if (flipped !== 1) throw new Error(`${flipped} packs were altered`)
    await kit.start({ store: 'altered' })
  })
  const refused = await tab.page.evaluate(path => {
    const signal = AbortSignal.timeout(5000)
    return kit.refused(kit.bytes(peer.cat(path, { signal })))
  }, cid)
  assert.ok(['NOT_FOUND', 'CORRUPT', 'OFFLINE', 'UNREACHABLE', 'TIMEOUT'].includes(refused.code) || refused.name === 'TimeoutError', JSON.stringify(refused))
  assert.equal(await tab.page.evaluate(path => peer.block.has(path), cid), false, 'the altered block stays')
})

journey('our own file blocks agree with blocks made by hand', async scene => {
  const { origin } = await scene.serve(packageRoutes)
  const tab = await openPackage(await scene.chromium('same'), origin)
  const content = new Uint8Array(3 * MIB + 17).map((_zero, i) => i * 31)
  const { root } = await fileBlocks(content)
  const cid = await tab.page.evaluate(async size => {
    await kit.start({ store: 'memory' })
    return (await peer.add(new Uint8Array(size).map((_zero, i) => i * 31))).cid
  }, content.length)
  assert.equal(cid, cidText(root))
})
