// The proof of wire compatibility: js-libp2p's own WebRTC transport and ours, through our relay, dialled from either
// side, an echo each way and 16 MiB each way.
import assert from 'node:assert/strict'
import { MIB } from '../support/files.mjs'
import { journey } from '../support/journey.mjs'
import { until } from '../support/wait.mjs'
import { avocet, jsNode, routes } from './nodes.mjs'

const SIZE = 16 * MIB
/** What a relayed connection may carry: signalling, identify and the handshakes, seen below 20 KB. */
const SIGNALLING_AT_MOST = 256 * 1024

const jsDirect = (js, id) => until('js-libp2p has a direct connection', () => js.page.evaluate(
  other => node.connections(other).some(connection => connection.direct), id
))

async function ourDirect (ours, id) {
  const found = await until('our peer lists a direct connection', () => ours.page.evaluate(
    other => peer.peers().find(entry => entry.id === other && entry.direct), id
  ))
  assert.equal(found.transport, 'webrtc')
}

/** An echo each way, then 16 MiB each way, over the connection that stands. */
async function useIt (scene, js, ours) {
  await scene.step('an echo from js-libp2p', async () => {
    assert.ok(await js.page.evaluate(id => node.ping(id), ours.id) >= 0)
  })
  await scene.step('our ping is answered', async () => {
    await until('our peer knows the latency', () => ours.page.evaluate(
      id => peer.peers().find(entry => entry.id === id && entry.direct)?.latencyMs !== undefined, js.id
    ))
  })
  await scene.step('16 MiB from us to js-libp2p', async () => {
    const file = await ours.page.evaluate(async size => {
      const bytes = kit.random(size)
      const { cid } = await peer.add(bytes)
      return { cid, sha256: await kit.sha256(bytes) }
    }, SIZE)
    const got = await js.page.evaluate(([id, cid]) => node.fetch(id, cid), [ours.id, file.cid])
    assert.deepEqual(got, { size: SIZE, sha256: file.sha256 })
  })
  await scene.step('16 MiB from js-libp2p to us', async () => {
    const file = await js.page.evaluate(size => node.share(size), SIZE)
    const got = await ours.page.evaluate(([cid, from]) => kit.read(cid, { providers: [from] }), [file.cid, js.addr])
    assert.deepEqual(got, { size: SIZE, sha256: file.sha256 })
  })
  await scene.step('none of it went through the relay', async () => {
    for (const { tab } of [js, ours]) {
      assert.ok(tab.socketBytes < SIGNALLING_AT_MOST, `${tab.name}: ${tab.socketBytes} bytes over WebSockets`)
      const direct = await tab.direct()
      assert.ok(direct.sent > SIZE && direct.received > SIZE, JSON.stringify(direct))
    }
  })
}

journey('js-libp2p to js-libp2p through our relay: the harness is good', async scene => {
  const relay = await scene.relay()
  const { origin } = await scene.serve(routes)
  const one = await jsNode(scene, origin, relay, 'js-1')
  const two = await jsNode(scene, origin, relay, 'js-2')
  await one.page.evaluate(addr => node.dial(addr), two.addr)
  const file = await one.page.evaluate(size => node.share(size), SIZE)
  const got = await two.page.evaluate(([id, cid]) => node.fetch(id, cid), [one.id, file.cid])
  assert.deepEqual(got, { size: SIZE, sha256: file.sha256 })
})

journey('js-libp2p dials us', async scene => {
  const relay = await scene.relay()
  const { origin } = await scene.serve(routes)
  const js = await jsNode(scene, origin, relay, 'js')
  const ours = await avocet(scene, origin, relay, 'ours')
  await scene.step('the dial ends in a direct connection on both sides', async () => {
    const connection = await js.page.evaluate(addr => node.dial(addr), ours.addr)
    assert.equal(connection.id, ours.id)
    await jsDirect(js, ours.id)
    await ourDirect(ours, js.id)
  })
  await useIt(scene, js, ours)
})

journey('we dial js-libp2p', async scene => {
  const relay = await scene.relay()
  const { origin } = await scene.serve(routes)
  const js = await jsNode(scene, origin, relay, 'js')
  const ours = await avocet(scene, origin, relay, 'ours')
  await scene.step('connect resolves with the direct connection', async () => {
    const entry = await ours.page.evaluate(addr => peer.connect(addr), js.addr)
    assert.equal(entry.id, js.id)
    assert.equal(entry.direct, true)
    assert.equal(entry.transport, 'webrtc')
    await jsDirect(js, ours.id)
  })
  await useIt(scene, js, ours)
})
