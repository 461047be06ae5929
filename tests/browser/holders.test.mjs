// The link names one of two holders: the other is found while a large file comes, and gives its part.
import assert from 'node:assert/strict'
import { MIB } from '../support/files.mjs'
import { journey } from '../support/journey.mjs'
import { dialable, packageRoutes, startPeer } from '../support/package-page.mjs'
import { LONG, until, within } from '../support/wait.mjs'

const SIZE = 64 * MIB
/** Less than what makes a search worth its while. */
const SMALL = 2 * MIB
/** Read before the reader waits for the second holder; more is fetched ahead of it, a quarter of the file. */
const FIRST = 4 * MIB
/** Of what is left then, each of two that are alike sends about half. */
const SHARE = 8 * MIB

journey('a download finds the holder that its link does not name, and uses both', async scene => {
  const relay = await scene.relay()
  const files = [await scene.file('small', SMALL), await scene.file('large', SIZE)]
  const { origin } = await scene.serve({ ...packageRoutes, '/served/': scene.path('files') })
  const start = async name => await startPeer(await scene.chromium(name), origin, { store: name, relays: [relay.relay] })
  const [named, other, third] = [await start('named'), await start('other'), await start('third')]
  const addr = await dialable(named.page)
  await dialable(other.page)
  const received = id => third.page.evaluate(id => peer.peers().find(entry => entry.id === id)?.received ?? 0, id)
  let small, large

  await scene.step('two hold a small file and a large one, and the DHT knows', async () => {
    for (const { page } of [named, other]) {
      const added = await page.evaluate(async names => {
        const cids = []
        for (const name of names) cids.push((await peer.add(await (await fetch(`/served/${name}`)).blob())).cid)
        return cids
      }, files.map(file => file.name))
      ;[small, large] = added
      for (const cid of [small, large]) {
        await until('a server of the DHT is told', () => page.evaluate(cid => peer.provide(cid), cid))
      }
    }
  })

  await scene.step('the small one comes from the holder it is connected to, and nobody is looked for', async () => {
    // While nobody is connected yet, others are looked for beside the dial: who is there first sends.
    await within('the named one is connected', third.page.evaluate(addr => peer.connect(addr), addr))
    const { size } = await third.page.evaluate(([cid, addr]) => kit.read(cid, { providers: [addr] }), [small, addr])
    assert.equal(size, SMALL)
    await until('it is counted', async () => await received(named.id) >= SMALL)
    assert.equal(await received(other.id), 0)
  })

  await scene.step('while the large one comes, the other holder is found and connected to', async () => {
    await third.page.evaluate(async ([cid, addr, first]) => {
      globalThis.reader = peer.cat(cid, { providers: [addr] }).getReader()
      globalThis.parts = []
      for (let got = 0; got < first;) {
        const { value } = await reader.read()
        parts.push(value)
        got += value.length
      }
    }, [large, addr, FIRST])
    await until('the other is connected', () => third.page.evaluate(
      id => peer.peers().some(entry => entry.id === id && entry.direct), other.id
    ))
  })

  await scene.step('the rest comes from both, every byte of it', async () => {
    const before = [await received(named.id), await received(other.id)]
    const sha256 = await within('the rest comes', third.page.evaluate(async () => {
      for (;;) {
        const { done, value } = await reader.read()
        if (done) return await kit.sha256(new Uint8Array(await new Blob(parts).arrayBuffer()))
        parts.push(value)
      }
    }), LONG)
    assert.equal(sha256, files[1].sha256)
    const sent = [await received(named.id) - before[0], await received(other.id) - before[1]]
    assert.ok(sent.every(bytes => bytes >= SHARE), `they sent ${sent}`)
    const { duplicates } = await third.page.evaluate(() => peer.stats())
    assert.ok(duplicates <= 2, `${duplicates} blocks came twice`)
  })
})
