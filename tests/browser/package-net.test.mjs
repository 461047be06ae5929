// The npm package on a network: two peers over one relay, their events, and what cannot be reached.
import assert from 'node:assert/strict'
import { MIB } from '../support/files.mjs'
import { journey } from '../support/journey.mjs'
import { dialable, openPackage, packageRoutes, startPeer } from '../support/package-page.mjs'
import { until, within } from '../support/wait.mjs'

journey('two peers of the package over one relay: events, peers, providers, disconnect', async scene => {
  const relay = await scene.relay()
  const { origin } = await scene.serve(packageRoutes)
  const listen = page => page.evaluate(() => {
    globalThis.heard = []
    for (const name of ['online', 'offline', 'peer:connect', 'peer:disconnect', 'addrs', 'sent', 'received']) {
      peer.addEventListener(name, ({ type, detail }) => heard.push({ type, detail }))
    }
  })
  const a = await startPeer(await scene.chromium('a'), origin, { store: 'memory', relays: [relay.relay] })
  const b = await startPeer(await scene.chromium('b'), origin, { store: 'b', relays: [relay.relay] })
  await listen(a.page)
  await listen(b.page)
  const addr = await dialable(a.page)
  await dialable(b.page)

  await scene.step('connect resolves with the direct connection, and it is the only one', async () => {
    const entry = await b.page.evaluate(to => peer.connect(to), addr)
    assert.equal(entry.id, a.id)
    assert.equal(entry.transport, 'webrtc')
    assert.equal(entry.direct, true)
    assert.equal(entry.direction, 'outbound')
    await until('the relayed one is closed', () => b.page.evaluate(
      id => peer.peers().filter(entry => entry.id === id).length === 1, a.id
    ))
    await until('the other side lists us', () => a.page.evaluate(
      id => peer.peers().some(entry => entry.id === id && entry.direct && entry.direction === 'inbound'), b.id
    ))
  })

  const { cid, hash } = await a.page.evaluate(async size => {
    const bytes = kit.random(size)
    return { cid: (await peer.add(new File([bytes], 'f'))).cid, hash: await kit.sha256(bytes) }
  }, 20 * MIB)

  await scene.step('cat fetches, counts and tells', async () => {
    assert.deepEqual(await b.page.evaluate(path => kit.read(path), cid), { size: 20 * MIB, sha256: hash })
    for (const [page, type, other] of [[a.page, 'sent', b.id], [b.page, 'received', a.id]]) {
      const heard = () => page.evaluate(name => globalThis.heard.filter(event => event.type === name).map(event => event.detail), type)
      const sum = details => details.reduce((total, { bytes }) => total + bytes, 0)
      await until(`the ${type} events speak of all bytes`, async () => sum(await heard()) >= 20 * MIB)
      const details = await heard()
      assert.ok(details.every(detail => detail.peer === other && detail.bytes > 0 && detail.cid), JSON.stringify(details[0]))
      assert.ok(sum(details) < 22 * MIB, `${type} events speak of ${sum(details)} bytes`)
    }
    const entry = await b.page.evaluate(id => peer.peers().find(entry => entry.id === id), a.id)
    assert.ok(entry.received >= 20 * MIB, JSON.stringify(entry))
    assert.match(entry.agent, /avocet/i)
    await until('the latency is known', () => b.page.evaluate(
      id => peer.peers().find(entry => entry.id === id).latencyMs >= 0, a.id
    ))
  })

  await scene.step('read again it comes from the store, whoever is connected', async () => {
    const before = await b.page.evaluate(id => peer.peers().find(entry => entry.id === id).received, a.id)
    assert.equal((await b.page.evaluate(path => kit.read(path), cid)).sha256, hash)
    const after = await b.page.evaluate(id => peer.peers().find(entry => entry.id === id).received, a.id)
    assert.ok(after - before < MIB)
  })

  await scene.step('providers names who added it', async () => {
    await until('the DHT names a', () => b.page.evaluate(async ([path, id]) => {
      const found = await kit.all(peer.providers(path, { signal: AbortSignal.timeout(10_000) }))
      return found.some(provider => provider.id === id)
    }, [cid, a.id]))
    assert.ok(await b.page.evaluate(path => peer.provide(path), cid) >= 1)
    await until('the DHT names b', () => a.page.evaluate(async ([path, id]) => {
      const found = await kit.all(peer.providers(path, { signal: AbortSignal.timeout(10_000) }))
      return found.some(provider => provider.id === id)
    }, [cid, b.id]))
  })

  await scene.step('both dial at once: one connection is left', async () => {
    const [addrA, addrB] = [await dialable(a.page), await dialable(b.page)]
    await b.page.evaluate(id => peer.disconnect(id), a.id)
    await until('a noticed', () => a.page.evaluate(id => !peer.peers().some(entry => entry.id === id), b.id))
    await Promise.all([a.page.evaluate(to => peer.connect(to), addrB), b.page.evaluate(to => peer.connect(to), addrA)])
    await until('one each', async () => {
      const count = (page, id) => page.evaluate(other => peer.peers().filter(entry => entry.id === other).length, id)
      return await count(a.page, b.id) === 1 && await count(b.page, a.id) === 1
    })
    const small = await a.page.evaluate(async () => (await peer.add(kit.random(300_000))).cid)
    assert.equal((await b.page.evaluate(path => kit.read(path), small)).size, 300_000)
  })

  await scene.step('a closed tab is noticed at once', async () => {
    const left = b.page.evaluate(id => new Promise(resolve => {
      peer.addEventListener('peer:disconnect', ({ detail }) => { if (detail.id === id) resolve(true) })
    }), a.id)
    await a.page.goto('about:blank')
    await within('peer:disconnect', left)
    const ice = await b.page.evaluate(() => __witness.connections.map(pc => pc.iceConnectionState))
    assert.ok(!ice.includes('failed') && !ice.includes('disconnected'), `ICE said so first: ${ice}`)
  })
})

journey('an address that answers nothing, and one of nobody, are refused in bounded time', async scene => {
  const relay = await scene.relay()
  const { origin } = await scene.serve(packageRoutes)
  const { page } = await startPeer(await scene.chromium('lone'), origin, { store: 'memory', relays: [relay.relay] })
  const nobody = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN'
  const refused = await within('both are refused', page.evaluate(async addrs => {
    return await Promise.all(addrs.map(addr => kit.refused(peer.connect(addr))))
  }, [`${relay.relay}/p2p-circuit/webrtc/p2p/${nobody}`, `/ip4/127.0.0.1/tcp/9/ws/p2p/${nobody}`]), 60_000)
  for (const error of refused) assert.ok(['UNREACHABLE', 'TIMEOUT'].includes(error.code), JSON.stringify(error))
})

journey('connect right after the start, while the relay is being reserved', async scene => {
  const relay = await scene.relay()
  const { origin } = await scene.serve(packageRoutes)
  const a = await startPeer(await scene.chromium('a'), origin, { store: 'memory', relays: [relay.relay] })
  const addr = await dialable(a.page)
  const b = await openPackage(await scene.chromium('b'), origin)
  for (let i = 0; i < 5; i++) {
    const entry = await b.page.evaluate(async ([relays, to]) => {
      const eager = await kit.createPeer({ store: 'memory', relays, bootstrap: relays })
      const entry = await eager.connect(to)
      await eager.stop()
      return entry
    }, [[relay.relay], addr])
    assert.equal(entry.direct, true)
  }
})

journey('what is wanted of nobody leaves the relay and its reservation alone', async scene => {
  const relay = await scene.relay()
  const { origin } = await scene.serve(packageRoutes)
  const { page } = await startPeer(await scene.chromium('lone'), origin, { store: 'memory', relays: [relay.relay], bootstrap: [relay.relay] })
  await dialable(page)
  const told = await page.evaluate(async () => {
    const gone = []
    for (const name of ['offline', 'peer:disconnect', 'addrs']) peer.addEventListener(name, () => gone.push(name))
    // The relay speaks no Bitswap: asking it must not cost the connection to it.
    const missing = peer.cat('bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2deveq4', { signal: AbortSignal.timeout(8_000) })
    const { name } = await kit.refused(kit.bytes(missing))
    if (name !== 'AbortError' && name !== 'TimeoutError') throw new Error(`refused by ${name}`)
    return { gone, addrs: peer.addrs().length }
  })
  assert.deepEqual(told, { gone: [], addrs: 1 })
})
