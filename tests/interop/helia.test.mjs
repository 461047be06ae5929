// Helia's users and ours, tab to tab over /webrtc: files of both kinds and a sharded folder each way, dialled from
// either side, through our relay and through js-libp2p's.
import assert from 'node:assert/strict'
import { MIB } from '../support/files.mjs'
import { heliaRoutes, startHelia } from '../support/helia.mjs'
import { journey } from '../support/journey.mjs'
import { startJsRelay } from '../support/js-relay.mjs'
import { dialable, packageRoutes, startPeer } from '../support/package-page.mjs'
import { LONG, until, within } from '../support/wait.mjs'

const SIZE = 32 * MIB
/** With names of 124 characters and more, 150 bytes an entry: half as much again as a folder in one block holds. */
const ENTRIES = 2500
/** What a relayed connection may carry: signalling, identify and the handshakes, seen below 20 KB. */
const SIGNALLING_AT_MOST = 256 * 1024

const RELAYS = {
  'our relay': scene => scene.relay(),
  'the relay of js-libp2p': async scene => {
    const relay = await startJsRelay()
    scene.t.after(() => relay.stop())
    return relay
  }
}

const DIALS = {
  'Helia dials us': async (theirs, ours) => {
    assert.equal(await theirs.page.evaluate(addr => helia.dial(addr), ours.addr), ours.id)
  },
  'we dial Helia': async (theirs, ours) => {
    const entry = await ours.page.evaluate(addr => peer.connect(addr), theirs.addr)
    assert.deepEqual([entry.id, entry.transport, entry.direct], [theirs.id, 'webrtc', true])
  }
}

for (const [through, startRelay] of Object.entries(RELAYS)) {
  for (const [who, dial] of Object.entries(DIALS)) {
    journey(`${who} through ${through}`, async scene => {
      const { relay } = await startRelay(scene)
      const { origin } = await scene.serve({ ...packageRoutes, ...heliaRoutes, '/files/': scene.path('files') })
      const theirs = await startHelia(await scene.chromium('helia'), origin, { relay })
      const started = await startPeer(await scene.chromium('ours'), origin, { store: 'ours', relays: [relay] })
      const ours = { ...started, addr: await dialable(started.page) }

      await scene.step('the dial ends in a direct connection on both sides', async () => {
        await dial(theirs, ours)
        await until('Helia has a direct connection', () => theirs.page.evaluate(
          id => helia.connections(id).some(connection => connection.direct), ours.id
        ))
        const found = await until('our peer lists a direct connection', () => ours.page.evaluate(
          id => peer.peers().find(entry => entry.id === id && entry.direct && entry.agent), theirs.id
        ))
        assert.equal(found.transport, 'webrtc')
        assert.match(found.agent, /^helia\/7\./)
      })
      for (const version of [1, 0]) await filesEachWay(scene, theirs, ours, version)
      await scene.step('none of it went through the relay', async () => {
        for (const { tab } of [theirs, ours]) {
          assert.ok(tab.socketBytes < SIGNALLING_AT_MOST, `${tab.name}: ${tab.socketBytes} bytes over WebSockets`)
          const direct = await tab.direct()
          assert.ok(direct.sent > 2 * SIZE && direct.received > 2 * SIZE, JSON.stringify(direct))
        }
      })
      await foldersEachWay(scene, theirs, ours)
    })
  }
}

async function filesEachWay (scene, theirs, ours, version) {
  const begins = version === 0 ? /^Qm/ : /^bafy/
  await scene.step(`Helia adds, we read: CIDv${version}`, async () => {
    const file = await scene.file(`helia-${version}.bin`, SIZE)
    const cid = await theirs.page.evaluate(async ([name, cidVersion]) => {
      const bytes = new Uint8Array(await (await fetch(`/files/${name}`)).arrayBuffer())
      return await helia.add(bytes, { cidVersion })
    }, [file.name, version])
    assert.match(cid, begins)
    const got = await within('reading', ours.page.evaluate(path => kit.read(path), cid), LONG)
    assert.deepEqual(got, { size: SIZE, sha256: file.sha256 })
  })
  await scene.step(`we add, Helia reads: CIDv${version}`, async () => {
    const file = await scene.file(`ours-${version}.bin`, SIZE)
    const cid = await ours.page.evaluate(async ([name, cidVersion]) => {
      return (await peer.add(await (await fetch(`/files/${name}`)).blob(), { cidVersion })).cid
    }, [file.name, version])
    assert.match(cid, begins)
    const got = await within('reading', theirs.page.evaluate(path => helia.read(path), cid), LONG)
    assert.deepEqual(got, { size: SIZE, sha256: file.sha256 })
  })
}

async function foldersEachWay (scene, theirs, ours) {
  const entries = Array.from({ length: ENTRIES }, (_, i) => [`${i}-${'x'.repeat(120)}`, `content ${i}`])
  const names = entries.map(([name]) => name).sort()
  const [name, content] = entries[777]

  await scene.step('Helia adds a sharded folder, we list and read', async () => {
    const cid = await within('adding', theirs.page.evaluate(list => helia.addFolder(list), entries), LONG)
    assert.equal((await theirs.page.evaluate(path => helia.list(path), cid)).sharded, true)
    const got = await within('listing', ours.page.evaluate(async ([cid, name]) => {
      const names = (await kit.all(peer.ls(cid))).map(entry => entry.name)
      return { names, content: new TextDecoder().decode(await kit.bytes(peer.cat(`${cid}/${name}`))) }
    }, [cid, name]), LONG)
    assert.deepEqual({ ...got, names: got.names.sort() }, { names, content })
  })
  await scene.step('we add a sharded folder, Helia lists and reads', async () => {
    const cid = await within('adding', ours.page.evaluate(async entries => {
      const files = entries.map(([path, text]) => ({ path, content: new TextEncoder().encode(`${text}!`) }))
      return (await peer.add(files)).cid
    }, entries), LONG)
    const got = await within('listing', theirs.page.evaluate(async ([cid, name]) => ({
      ...await helia.list(cid),
      content: new TextDecoder().decode(await helia.cat(cid, name))
    }), [cid, name]), LONG)
    assert.deepEqual({ ...got, names: got.names.sort() }, { sharded: true, names, content: `${content}!` })
  })
}

journey('after Helia has ended the streams that rest', async scene => {
  const { relay } = await scene.relay()
  const { origin } = await scene.serve({ ...packageRoutes, ...heliaRoutes })
  const theirs = await startHelia(await scene.chromium('helia'), origin, { relay })
  const ours = await startPeer(await scene.chromium('ours'), origin, { store: 'memory', relays: [relay] })
  await ours.page.evaluate(addr => peer.connect(addr), theirs.addr)
  for (const time of ['first', 'second']) {
    await scene.step(`a small file each way: the ${time} time`, async () => {
      const here = new TextEncoder().encode(`from Helia, the ${time} time`)
      const back = await ours.page.evaluate(
        async path => new TextDecoder().decode(await kit.bytes(peer.cat(path))),
        await theirs.page.evaluate(bytes => helia.add(Uint8Array.from(bytes)), [...here])
      )
      assert.equal(back, `from Helia, the ${time} time`)
      const cid = await ours.page.evaluate(async text => (await peer.add(new Blob([text]))).cid, `from us, the ${time} time`)
      const there = await theirs.page.evaluate(async path => new TextDecoder().decode(await helia.cat(path)), cid)
      assert.equal(there, `from us, the ${time} time`)
      assert.ok(await theirs.page.evaluate(id => helia.listening(id), ours.id) > 0)
    })
    await until('Helia has ended them', async () => await theirs.page.evaluate(id => helia.listening(id), ours.id) === 0)
  }
})

journey('an archive each way between Helia and us, and no connection', async scene => {
  const file = await scene.file('archived.bin', 8 * MIB)
  const { origin } = await scene.serve({ ...packageRoutes, ...heliaRoutes, '/files/': scene.path('files') })
  const browser = await scene.chromium('both')
  const theirs = await startHelia(browser, origin)
  const ours = await startPeer(browser, origin, { store: 'memory' })
  const whole = { size: file.size, sha256: file.sha256 }

  await scene.step('the blocks of Helia, imported by us', async () => {
    const cid = await theirs.page.evaluate(async name => {
      const cid = await helia.add(new Uint8Array(await (await fetch(`/files/${name}`)).arrayBuffer()))
      // Both tabs are of one origin: what one keeps for it, the other finds.
      await (await caches.open('archives')).put('/theirs.car', new Response(await helia.archive(cid)))
      return cid
    }, file.name)
    const got = await ours.page.evaluate(async cid => {
      const { roots } = await peer.car.import(await (await caches.match('/theirs.car')).blob())
      return { roots, read: await kit.read(cid) }
    }, cid)
    assert.deepEqual(got, { roots: [cid], read: whole })
  })
  await scene.step('our export, taken in by another Helia', async () => {
    const cid = await ours.page.evaluate(async name => {
      const { cid } = await peer.add(await (await fetch(`/files/${name}`)).blob(), { cidVersion: 0 })
      await (await caches.open('archives')).put('/ours.car', new Response(peer.car.export(cid)))
      return cid
    }, file.name)
    const other = await startHelia(browser, origin)
    const got = await other.page.evaluate(async cid => {
      await helia.takeArchive(await (await caches.match('/ours.car')).blob())
      return await helia.read(cid)
    }, cid)
    assert.deepEqual(got, whole)
  })
})
