// The real Kubo and tabs of ours, over WebSocket and by /webrtc-direct: files and folders each way, Kubo as the relay
// between tabs, and dials that must fail.
import assert from 'node:assert/strict'
import { NET } from '../support/chromium.mjs'
import { MIB, sha256, writeTree } from '../support/files.mjs'
import { Firefox } from '../support/firefox.mjs'
import { journey } from '../support/journey.mjs'
import { noKubo } from '../support/kubo.mjs'
import { dialable, openPackage, packageRoutes, startPeer } from '../support/package-page.mjs'
import { LONG, until, within } from '../support/wait.mjs'

const SIZE = 32 * MIB
/** With names of 124 characters and more, 150 bytes an entry: half as much again as a folder in one block holds. */
const ENTRIES = 2500
/** In which an address that does not work is refused: a dial's own limit, and a busy machine. */
const REFUSED = 40_000

/** Firefox has no way to connect over loopback alone. */
const noFirefox = !Firefox.available() ? 'no Firefox on this machine'
  : NET === 'loopback' && 'Firefox offers no loopback candidates: this wants a network of its own (AVOCET_NET=own)'

/** Where only one of the versions of /webrtc-direct is to be had. */
const WITHOUT = {
  // Chromium has announced that it will refuse what the first one rests on, and can be asked to do so now.
  v1: { args: ['--force-fieldtrials=WebRTC-NoSdpMangleUfrag/Enabled/'] },
  // A server that does not know the second one never answers: here it is asked for one that nobody knows.
  v2: {
    init: [`{
      const own = RTCPeerConnection.prototype.setRemoteDescription
      RTCPeerConnection.prototype.setRemoteDescription = function ({ type, sdp }) {
        return own.call(this, { type, sdp: sdp.replaceAll('libp2p+webrtc+v2/', 'libp2p+webrtc+v9/') })
      }
    }`]
  }
}

for (const [kind, transport] of [['ws', 'websocket'], ['webrtc-direct', 'webrtc-direct']]) {
  journey(`Kubo and a tab: files each way, ${kind}`, async scene => {
    const kubo = await scene.kubo()
    const { origin } = await scene.serve(packageRoutes)
    const { page, id } = await startPeer(await scene.chromium('tab'), origin, { store: 'tab' })
    const addr = kubo.addr(kind)

    await scene.step('the tab connects', async () => {
      const entry = await page.evaluate(to => peer.connect(to), addr)
      assert.deepEqual([entry.id, entry.transport, entry.direct], [kubo.id, transport, true])
      await until('Kubo lists the tab', async () => (await kubo.peers()).includes(id))
      await until('the tab knows whom it met', () => page.evaluate(
        other => peer.peers().find(entry => entry.id === other)?.agent.startsWith('kubo/0.43.1'), kubo.id
      ))
    })
    for (const version of [0, 1]) {
      await scene.step(`Kubo adds, the tab reads: CIDv${version}`, async () => {
        const file = await scene.file(`from-kubo-${version}.bin`, SIZE)
        const cid = await kubo.add(file.path, `--cid-version=${version}`)
        const got = await within('reading', page.evaluate(path => kit.read(path), cid), LONG)
        assert.deepEqual(got, { size: SIZE, sha256: file.sha256 })
      })
      await scene.step(`the tab adds, Kubo reads: CIDv${version}`, async () => {
        const file = await page.evaluate(async ([size, cidVersion]) => {
          const bytes = kit.random(size)
          const { cid } = await peer.add(bytes, { cidVersion })
          return { cid, sha256: await kit.sha256(bytes) }
        }, [SIZE, version])
        assert.ok(file.cid.startsWith(version === 0 ? 'Qm' : 'b'), file.cid)
        const got = await within('ipfs cat', kubo.cat(file.cid), LONG)
        assert.deepEqual([got.length, sha256(got)], [SIZE, file.sha256])
      })
    }
    await scene.step('Kubo notices at once that the tab is gone', async () => {
      await page.goto('about:blank')
      await until('Kubo lists nobody', async () => (await kubo.peers()).length === 0, 5_000)
    })
  }, { skip: noKubo })
}

journey('a sharded folder each way', async scene => {
  const kubo = await scene.kubo()
  const { origin } = await scene.serve(packageRoutes)
  const { page } = await startPeer(await scene.chromium('tab'), origin, { store: 'tab' })
  await page.evaluate(to => peer.connect(to), kubo.addr('ws'))
  const entries = Array.from({ length: ENTRIES }, (_, i) => [`${i}-${'x'.repeat(120)}`, `content ${i}`])
  const [name, content] = entries[777]

  await scene.step('Kubo adds, the tab lists and reads', async () => {
    await writeTree(scene.path('folder'), entries)
    const cid = await kubo.add(scene.path('folder'), '--recursive', '--cid-version=1')
    const got = await within('listing', page.evaluate(async ([cid, name]) => {
      const names = (await kit.all(peer.ls(cid))).map(entry => entry.name)
      const content = new TextDecoder().decode(await kit.bytes(peer.cat(`${cid}/${name}`)))
      return { names: names.sort(), content }
    }, [cid, name]), LONG)
    assert.deepEqual(got, { names: entries.map(([name]) => name).sort(), content })
  })
  await scene.step('the tab adds, Kubo lists and reads', async () => {
    const cid = await within('adding', page.evaluate(async entries => {
      const files = entries.map(([path, text]) => ({ path, content: new TextEncoder().encode(`${text}!`) }))
      return (await peer.add(files)).cid
    }, entries), LONG)
    const names = (await kubo.ipfs('ls', '--size=false', '--resolve-type=false', cid)).split('\n').map(line => line.split(' ')[1])
    assert.deepEqual(names.sort(), entries.map(([name]) => name).sort())
    assert.equal((await kubo.cat(`${cid}/${name}`)).toString(), `${content}!`)
  })
}, { skip: noKubo })

journey('a CAR each way, and no connection', async scene => {
  const kubo = await scene.kubo()
  const file = await scene.file('archived.bin', 8 * MIB)
  const cid = await kubo.add(file.path, '--cid-version=1')
  const body = await kubo.exported(cid)
  const { origin } = await scene.serve({ ...packageRoutes, '/a.car': { type: 'application/vnd.ipld.car', body } })
  const { page } = await startPeer(await scene.chromium('tab'), origin, { store: 'tab' })

  await scene.step('Kubo exports, the tab imports and reads', async () => {
    const got = await page.evaluate(async cid => {
      await peer.car.import(await (await fetch('/a.car')).blob())
      return await kit.read(cid)
    }, cid)
    assert.deepEqual(got, { size: file.size, sha256: file.sha256 })
  })
  await scene.step('the tab exports the same bytes as Kubo', async () => {
    const sum = await page.evaluate(async cid => await kit.sha256(await kit.bytes(peer.car.export(cid))), cid)
    assert.equal(sum, sha256(body))
  })
  await scene.step('the tab exports, Kubo imports and reads', async () => {
    const [root, base64] = await page.evaluate(async size => {
      const { cid } = await peer.add(kit.random(size))
      const car = await kit.bytes(peer.car.export(cid))
      return [cid, await new Promise(resolve => {
        const reader = Object.assign(new FileReader(), { onload: () => resolve(reader.result.split(',')[1]) })
        reader.readAsDataURL(new Blob([car]))
      })]
    }, MIB)
    await writeTree(scene.path('cars'), [['tab.car', Buffer.from(base64, 'base64')]])
    await kubo.ipfs('dag', 'import', scene.path('cars', 'tab.car'))
    const own = await page.evaluate(cid => kit.read(cid), root)
    assert.equal(sha256(await kubo.cat(root)), own.sha256)
  })
}, { skip: noKubo })

journey('Kubo is the relay between two tabs', async scene => {
  const kubo = await scene.kubo()
  const { origin } = await scene.serve(packageRoutes)
  for (const kind of ['ws', 'webrtc-direct']) {
    await scene.step(`reached by ${kind}`, async () => {
      const relays = [kubo.addr(kind)]
      const a = await startPeer(await scene.chromium(`a ${kind}`), origin, { store: 'memory', relays })
      const b = await startPeer(await scene.chromium(`b ${kind}`), origin, { store: 'memory', relays })
      const entry = await b.page.evaluate(to => peer.connect(to), await dialable(a.page))
      assert.deepEqual([entry.id, entry.transport, entry.direct], [a.id, 'webrtc', true])
      const file = await a.page.evaluate(async size => {
        const bytes = kit.random(size)
        return { cid: (await peer.add(bytes)).cid, sha256: await kit.sha256(bytes) }
      }, 8 * MIB)
      const got = await within('reading', b.page.evaluate(path => kit.read(path), file.cid), LONG)
      assert.deepEqual(got, { size: 8 * MIB, sha256: file.sha256 })
      assert.ok((await b.tab.direct()).received > 8 * MIB)
    })
  }
}, { skip: noKubo })

journey('each version of /webrtc-direct by itself, and an address that needs the other hash', async scene => {
  const kubo = await scene.kubo()
  const addr = kubo.addr('webrtc-direct')
  const { origin } = await scene.serve(packageRoutes)
  for (const [missing, options] of Object.entries(WITHOUT)) {
    await scene.step(`without ${missing} the tab connects by the other`, async () => {
      const browser = await scene.chromium(`without ${missing}`, options)
      const { page } = await startPeer(browser, origin, { store: 'memory' })
      const entry = await page.evaluate(to => peer.connect(to), addr)
      assert.deepEqual([entry.id, entry.transport], [kubo.id, 'webrtc-direct'])
      const states = await page.evaluate(() => __witness.connections.map(connection => connection.connectionState))
      assert.deepEqual(states.filter(state => state !== 'closed'), ['connected'])
    })
  }
  await scene.step('any of several hashes may be the certificate\'s', async () => {
    const { page } = await startPeer(await scene.chromium('several'), origin, { store: 'memory' })
    const hash = /\/certhash\/[^/]+/.exec(addr)[0]
    const both = addr.replace(hash, `${otherHash(hash)}${hash}`)
    const entry = await page.evaluate(to => peer.connect(to), both)
    assert.equal(entry.transport, 'webrtc-direct')
  })
}, { skip: noKubo })

journey('net-08: what /webrtc-direct must not connect to', async scene => {
  const kubo = await scene.kubo()
  const addr = kubo.addr('webrtc-direct')
  const { origin } = await scene.serve(packageRoutes)
  const page = (await openPackage(await scene.chromium('careful'), origin)).page
  const hash = /\/certhash\/[^/]+/.exec(addr)[0]
  const nobody = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN'
  const refused = async to => await within('the refusal', page.evaluate(async to => {
    const careful = await kit.createPeer({ store: 'memory' })
    const error = await kit.refused(careful.connect(to))
    const open = __witness.connections.filter(connection => connection.connectionState !== 'closed').length
    await careful.stop()
    return { ...error, open }
  }, to), REFUSED)

  for (const [what, to, reason] of [
    ['another certificate', addr.replace(hash, otherHash(hash)), /certificate/],
    ['another peer', addr.replace(kubo.id, nobody), new RegExp(`${kubo.id} is there, not ${nobody}`)],
    ['a hash that no browser has', addr.replace(hash, sha512()), /hash function 0x13/],
    ['a port where nobody is', addr.replace(/\/udp\/\d+/, '/udp/9'), /./]
  ]) {
    await scene.step(what, async () => {
      const error = await refused(to)
      assert.equal(error.code, 'UNREACHABLE', JSON.stringify(error))
      assert.match(error.message, reason)
      assert.equal(error.open, 0, 'a connection was left open')
    })
  }
  assert.deepEqual(await kubo.peers(), [])
}, { skip: noKubo })

journey('Firefox and Kubo, by /webrtc-direct', async scene => {
  const kubo = await scene.kubo()
  const { origin } = await scene.serve(packageRoutes)
  const page = await (await scene.firefox('firefox')).tab()
  await page.goto(`${origin}/`)
  await until('the package is imported', () => page.evaluate(() => 'kit' in globalThis))
  await page.evaluate(given => kit.start(given), { store: 'memory' })
  const entry = await page.evaluate(to => peer.connect(to), kubo.addr('webrtc-direct', { elsewhere: true }))
  assert.deepEqual([entry.id, entry.transport, entry.direct], [kubo.id, 'webrtc-direct', true])
  const file = await scene.file('to-firefox.bin', SIZE)
  const got = await within('reading', page.evaluate(path => kit.read(path), await kubo.add(file.path)), LONG)
  assert.deepEqual(got, { size: SIZE, sha256: file.sha256 })
}, { skip: noKubo || noFirefox })

/** The certificate hash with its last byte changed. */
function otherHash (component) {
  const bytes = Buffer.from(component.slice('/certhash/u'.length), 'base64url')
  bytes[bytes.length - 1] ^= 1
  return certhash(bytes)
}

/** Of the function SHA-512, which no browser tells of its own certificate. */
function sha512 () {
  return certhash(Buffer.concat([Buffer.from([0x13, 64]), Buffer.alloc(64, 7)]))
}

function certhash (multihash) {
  return `/certhash/u${multihash.toString('base64url')}`
}
