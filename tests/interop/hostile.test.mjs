// A peer that speaks the right protocols wrongly: js-libp2p carries what no honest one would send. Whatever comes, our
// peer stays usable, stores nothing wrong, and closes who cheats.
import assert from 'node:assert/strict'
import { journey } from '../support/journey.mjs'
import { until, within } from '../support/wait.mjs'
import { PROTOCOL, varint } from './bitswap.mjs'
import { avocet, jsNode, routes } from './nodes.mjs'

const SIGNALING = '/webrtc-signaling/0.0.1'
const MIB = 1024 * 1024

async function pair (scene) {
  const relay = await scene.relay()
  const { origin } = await scene.serve(routes)
  const js = await jsNode(scene, origin, relay, 'js')
  const ours = await avocet(scene, origin, relay, 'ours')
  const connect = async () => {
    await js.page.evaluate(addr => node.dial(addr), ours.addr)
    await until('both have the direct connection', async () =>
      await js.page.evaluate(id => node.connections(id).some(one => one.direct), ours.id) &&
      await ours.page.evaluate(id => peer.peers().some(one => one.id === id && one.direct), js.id))
  }
  return { relay, origin, js, ours, connect }
}

/** Our peer adds, reads, and gives a file to an honest peer. */
async function stillWorks (scene, { relay, origin, ours }, name) {
  const honest = await jsNode(scene, origin, relay, name)
  await honest.page.evaluate(addr => node.dial(addr), ours.addr)
  const file = await ours.page.evaluate(async () => {
    const bytes = kit.random(3_000_000)
    const { cid } = await peer.add(bytes)
    return { cid, sha256: await kit.sha256(bytes), own: (await kit.read(cid)).size }
  })
  assert.equal(file.own, 3_000_000)
  const got = await honest.page.evaluate(([id, cid]) => node.fetch(id, cid), [ours.id, file.cid])
  assert.equal(got.sha256, file.sha256)
}

journey('bs-01, bs-02, bs-06: Bitswap messages as no honest peer sends them', async scene => {
  const two = await pair(scene)
  const { js, ours, connect } = two
  const cases = {
    'a length of 4 MiB and one byte': [{ bytes: [...varint(4 * MIB + 1), 0, 0] }],
    'a length of 2^63': [{ bytes: [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f] }],
    'a varint without an end': [{ bytes: new Array(64).fill(0x80) }],
    'no protobuf': [{ bytes: [5, 0xff, 0xff, 0xff, 0xff, 0xff] }],
    'no wantlist, one presence': [{ bytes: [2, 0x22, 0] }],
    'a block whose prefix names a digest of 1 MB': [{ bytes: [12, 0x1a, 10, 0x0a, 6, 1, 0x55, 0x12, 0x80, 0x89, 0x7a, 0x12, 0] }]
  }
  for (const [name, pieces] of Object.entries(cases)) {
    await scene.step(name, async () => {
      // A peer that was closed for its last message comes again as another one.
      await js.restart()
      await connect()
      await js.page.evaluate(([id, protocol, sent]) => node.write(id, protocol, sent, { patience: 500 }), [ours.id, PROTOCOL, pieces])
      assert.equal(await ours.page.evaluate(async () => (await peer.usage()).blocks), 0)
    })
  }
  await scene.step('our peer is as usable as before', () => stillWorks(scene, two, 'honest'))
})

journey('bs-04: the third block that nobody asked for closes the connection, and none is stored', async scene => {
  const two = await pair(scene)
  const { js, ours, connect } = two
  await connect()
  const gone = js.page.evaluate(id => node.untilGone(id), ours.id)
  await js.page.evaluate(id => node.sendUnasked(id, 3), ours.id)
  await within('the connection is closed', gone)
  assert.equal(await ours.page.evaluate(async () => (await peer.usage()).blocks), 0)
  await stillWorks(scene, two, 'honest')
})

journey('bs-05: a wrong block never satisfies a want; another holder gives the right one', async scene => {
  const two = await pair(scene)
  const { relay, origin, js: liar, ours, connect } = two
  await connect()
  const files = []
  for (let i = 0; i < 3; i++) files.push(await liar.page.evaluate(size => node.share(size), 100_000 + i))
  await liar.page.evaluate(() => node.lie())
  // Each root comes wrong once; the third wrong block is the last.
  const reading = files.map(file => ours.page.evaluate(([cid, from]) => kit.read(cid, { providers: [from] }), [file.cid, liar.addr]))
  for (const read of reading) read.catch(() => {})
  await until('the liar is closed', () => ours.page.evaluate(id => !peer.peers().some(one => one.id === id && one.direct), liar.id))
  assert.equal(await ours.page.evaluate(async () => (await peer.usage()).blocks), 0)
  // A second holder of the same content: the liar's own page, told apart by its honest twin.
  const honest = await avocet(scene, origin, relay, 'honest')
  const bytes = await liar.page.evaluate(() => node.bitswap.shared().map(block => ({ codec: block.cid[1], bytes: Array.from(block.bytes) })))
  for (const block of bytes) {
    await honest.page.evaluate(async ({ codec, bytes }) => {
      await peer.block.put(Uint8Array.from(bytes), { codec: codec === 0x55 ? 'raw' : 'dag-pb', hash: 'sha2-256' })
    }, block)
  }
  await honest.page.evaluate(addr => peer.connect(addr), ours.addr)
  const got = await within('the files come from the other', Promise.all(reading), 60_000)
  assert.deepEqual(got.map(read => read.sha256), files.map(file => file.sha256))
})

journey('a signalling peer that sends garbage, ten megabytes, or nothing', async scene => {
  const two = await pair(scene)
  const { js, ours } = two
  const circuit = ours.addr.replace('/webrtc/', '/')
  const relayed = async () => {
    if (!await js.page.evaluate(id => node.connections(id).some(one => !one.direct), ours.id)) {
      await js.page.evaluate(addr => node.dial(addr), circuit)
    }
  }
  const garbage = Array.from({ length: 200 }, (_none, i) => i * 73 & 0xff)
  const cases = {
    garbage: [{ bytes: [...varint(garbage.length), ...garbage] }],
    'an offer that is no SDP': [{ bytes: [7, 0x08, 0, 0x12, 3, 0x6e, 0x6f, 0x21] }],
    'an answer where an offer belongs': [{ bytes: [7, 0x08, 1, 0x12, 3, 0x6e, 0x6f, 0x21] }],
    'a message of ten megabytes': [{ bytes: [...varint(10_000_000)] }, { bytes: new Array(16_384).fill(7), times: 6 }],
    'a stream without an end of candidates': [{ bytes: [6, 0x08, 2, 0x12, 2, 0x7b, 0x7d], times: 500 }],
    nothing: []
  }
  for (const [name, pieces] of Object.entries(cases)) {
    await scene.step(name, async () => {
      await relayed()
      await js.page.evaluate(([id, protocol, sent]) => node.write(id, protocol, sent, { relayed: true, patience: 1_000 }),
        [ours.id, SIGNALING, pieces]).catch(() => {})
      assert.equal(await ours.page.evaluate(async () => (await peer.add(new Uint8Array([1]))).blocks), 1)
    })
  }
  await scene.step('our peer is dialled by an honest one as before', () => stillWorks(scene, two, 'honest'))
})
