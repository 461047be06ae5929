// Data that is no file, through the npm package: `dag.get` and `dag.put`, blocks of every codec and hash.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { journey } from '../support/journey.mjs'
import { packageRoutes, startPeer } from '../support/package-page.mjs'
import { ROOT } from '../support/paths.mjs'

/** As the codec fixtures of the IPLD project have it. */
const MIXED_CBOR = 'bafyreidufmzzejc3p7gmh6ivp4fjvca5jfazk57nu6vdkvki4c4vpja724'
const MIXED_JSON = 'baguqeera4iuxsgqusw3ctry362niptivjyio6dxnsn5afctijsahacub2eza'
const LEAF = 'bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4'

async function alone (scene) {
  const { origin } = await scene.serve(packageRoutes)
  return await startPeer(await scene.chromium('alone'), origin, { store: 'memory' })
}

/** The blocks of the fixtures: `[name, codec, cid, bytes]`. */
async function fixtures () {
  const text = await readFile(join(ROOT, 'crates/dag/tests/vectors/codecs.txt'), 'utf8')
  return text.split('\n').filter(line => line !== '' && !line.startsWith('#')).map(line => {
    const [, name, codec, cid, content] = /^(\S+) (\S+) (\S+) (.*)$/.exec(line)
    const bytes = Buffer.from(content, codec === 'dag-json' ? 'utf8' : 'hex')
    return [name, codec, cid, Array.from(bytes)]
  })
}

journey('data goes in and comes out as it was', async scene => {
  const { page } = await alone(scene)

  await scene.step('the fixtures of every codec become each other', async () => {
    const blocks = await fixtures()
    const wrong = await page.evaluate(async blocks => {
      const wrong = []
      for (const [name, codec, cid, bytes] of blocks) {
        const put = await peer.block.put(new Uint8Array(bytes), { codec })
        if (put.cid !== cid) wrong.push(`${name} as ${codec} is put as ${put.cid}`)
        const value = await peer.dag.get(cid)
        for (const [other, codec, cid] of blocks) {
          if (other !== name) continue
          const again = await peer.dag.put(value, { codec })
          if (again.cid !== cid) wrong.push(`${name} becomes ${codec} as ${again.cid}`)
        }
      }
      return wrong
    }, blocks)
    assert.deepEqual(wrong, [])
    assert.equal(blocks.length, 210)
  })

  await scene.step('what JavaScript has', async () => {
    const told = await page.evaluate(async () => {
      const mixed = [6433713753386423, 65536, 500, 2, 0, -1, -3, -256, -2784428724, -6433713753386424n,
        new Uint8Array([97, 49]), 'Čaues ßvěte!']
      const cbor = await peer.dag.put(mixed)
      const json = await peer.dag.put(mixed, { codec: 'dag-json' })
      const back = await peer.dag.get(json.cid)
      return {
        cids: [cbor.cid, json.cid],
        same: back.slice(0, 9).every((item, at) => item === mixed[at]) && back[9] === -6433713753386424 && back[11] === mixed[11],
        bytes: back[10] instanceof Uint8Array && String(back[10])
      }
    })
    assert.deepEqual(told, { cids: [MIXED_CBOR, MIXED_JSON], same: true, bytes: '97,49' })
  })

  await scene.step('no digit is lost', async () => {
    const told = await page.evaluate(async () => {
      const out = []
      const values = [2 ** 53 - 1, -(2 ** 53 - 1), 2n ** 53n, -(2n ** 53n), 2n ** 53n + 1n, 2n ** 64n - 1n, -(2n ** 64n), 5n, 0.5, 1e300,
        2 ** 53, -0, 1.5e-300, '\u0000\u2028😀', '', null, true]
      for (const codec of ['dag-cbor', 'dag-json']) {
        for (const value of values) {
          const { cid } = await peer.dag.put({ value }, { codec })
          const { value: back } = await peer.dag.get(cid)
          if (!Object.is(back, value)) out.push(`${codec} ${typeof value} ${value}: ${typeof back} ${back}`)
        }
      }
      return out
    })
    assert.deepEqual(told, ['dag-cbor bigint 5: number 5', 'dag-cbor number 0: number 0', 'dag-json bigint 5: number 5',
      'dag-json number 0: number 0'], 'a small BigInt and -0 are the numbers 5 and 0')
  })

  await scene.step('names that JavaScript knows are names like any other', async () => {
    const told = await page.evaluate(async () => {
      const value = JSON.parse('{"__proto__":{"polluted":1},"constructor":2,"toString":3,"":4}')
      const { cid } = await peer.dag.put(value)
      const back = await peer.dag.get(cid)
      return { own: Object.keys(back).sort(), polluted: back.polluted, at: await peer.dag.get(`${cid}/__proto__/polluted`) }
    })
    assert.deepEqual(told, { own: ['', '__proto__', 'constructor', 'toString'], polluted: undefined, at: 1 })
  })
})

journey('paths and pins go through data', async scene => {
  const { page } = await alone(scene)
  const told = await page.evaluate(async leaf => {
    const text = new TextEncoder().encode('hello world\n')
    const { cid: folder } = await peer.add([{ path: 'sub/a.txt', content: text }], { pin: false })
    const inner = await peer.dag.put({ list: [1, { folder: { '/': folder } }] }, { codec: 'dag-json' })
    const { cid } = await peer.dag.put({ inner: { '/': inner.cid }, n: 7 }, { pin: true })
    await peer.dag.put('loose')
    const freed = await peer.gc()
    const file = `${cid}/inner/list/1/folder/sub/a.txt`
    return {
      freed: freed.blocks,
      link: await peer.dag.get(`${cid}/inner`),
      folder: Object.keys((await peer.dag.get(`${cid}/inner/list/1/folder`)).Links[0]),
      part: await peer.dag.get(`${cid}/inner/list/0`),
      text: new TextDecoder().decode(await kit.bytes(peer.cat(file))),
      leaf: String(await peer.dag.get(file)) === String(text),
      names: (await kit.all(peer.ls(`${cid}/inner/list/1/folder`))).map(entry => entry.name),
      stats: [await peer.stat(cid), await peer.stat(`${cid}/n`), await peer.stat(file)].map(stat => stat.type),
      blocks: (await peer.stat(cid)).blocks,
      refused: [
        await kit.refused(kit.bytes(peer.cat(cid))),
        await kit.refused(kit.bytes(peer.cat(`${cid}/n`))),
        await kit.refused(kit.all(peer.ls(cid))),
        await kit.refused(peer.dag.get(`${cid}/m`)),
        await kit.refused(peer.dag.get(`${cid}/n/x`)),
        await kit.refused(peer.dag.get(`${cid}/inner/list/2`))
      ].map(({ code }) => code),
      raw: await peer.block.has(leaf)
    }
  }, LEAF)
  assert.equal(told.freed, 1, 'what the pinned value does not link to')
  assert.deepEqual(Object.keys(told.link), ['list'])
  assert.deepEqual(told.folder, ['Hash', 'Name', 'Tsize'])
  assert.equal(told.part, 1)
  assert.equal(told.text, 'hello world\n')
  assert.ok(told.leaf && told.raw)
  assert.deepEqual(told.names, ['sub'])
  assert.deepEqual(told.stats, ['ipld', 'ipld', 'raw'])
  assert.equal(told.blocks, 5)
  assert.deepEqual(told.refused, ['NOT_A_FILE', 'NOT_A_FILE', 'NOT_A_DIRECTORY', 'NOT_FOUND', 'NOT_A_DIRECTORY', 'NOT_FOUND'])
})

journey('what has no form is refused by its place', async scene => {
  const { page } = await alone(scene)

  await scene.step('values', async () => {
    const told = await page.evaluate(async leaf => {
      const loop = []
      loop.push(loop)
      let many = 'x'
      for (let level = 0; level < 40; level++) many = [many, many]
      const cases = [
        [{ a: [1, undefined] }, '/a/1'], [{ a: { b: () => {} } }, '/a/b'], [Symbol('x'), '/'], [[NaN], '/0'], [{ x: -Infinity }, '/x'],
        [[new Map()], '/0'], [{ d: new Date() }, '/d'], [[new Float32Array(1)], '/0'], [['\ud800'], '/0'], [{ '\udc00': 1 }, '/'],
        [{ l: { '/': 'no cid' } }, '/l'], [{ get g () { throw new Error('no') } }, '/'], [[, 1], '/0'], [2n ** 64n, '/'], [2n ** 200n, '/'],
        [loop, '/0/0'], [many, '/0/0'], [new Proxy([], { get () { throw new Error('no') } }), '/'], [undefined, '/']
      ]
      const out = []
      for (const [value, place] of cases) {
        const { code, message } = await kit.refused(peer.dag.put(value))
        out.push([code, message.includes(`"${place}`) || message])
      }
      return { out, after: (await peer.dag.put({ '/': leaf })).cid }
    }, LEAF)
    const codes = told.out.map(([code]) => code)
    assert.deepEqual(told.out.filter(([, found]) => found !== true), [])
    const limits = codes.flatMap((code, at) => code === 'LIMIT' ? [at] : [])
    assert.deepEqual(limits, [15, 16], 'what is endless, and what is nearly so')
    assert.equal(codes[10], 'INVALID_CID')
    assert.ok(codes.every((code, at) => at === 10 || limits.includes(at) || code === 'INVALID_OPTION'), codes.join(' '))
    assert.match(told.after, /^bafyrei/)
  })

  await scene.step('codecs, hashes and sizes', async () => {
    const told = await page.evaluate(async leaf => {
      const code = async promise => (await kit.refused(promise)).code
      const { cid: slash } = await peer.block.put(new Uint8Array([0xa1, 0x61, 0x2f, 0x61, 0x78]), { codec: 'dag-cbor' })
      const { cid: broken } = await peer.block.put(new Uint8Array([0x18, 0x01]), { codec: 'dag-cbor' })
      return [
        await code(peer.dag.put({ '/': 1, '0': 'x', a: { '/': { bytes: 'x' } } }, { codec: 'dag-json' })),
        await code(peer.dag.put({ Links: [{}] }, { codec: 'dag-pb' })),
        await code(peer.dag.put('text', { codec: 'raw' })),
        await code(peer.dag.put(1, { codec: 'json' })),
        await code(peer.dag.put(1, { hash: 'md5' })),
        await code(peer.dag.put(1, { pins: true })),
        await code(peer.dag.put(new Uint8Array(3_000_000))),
        await code(peer.dag.put('x'.repeat(3_000_000))),
        await code(peer.dag.put('x'.repeat(200), { hash: 'identity' })),
        await code(peer.dag.get(slash)),
        await code(peer.dag.get(broken)),
        await code(peer.dag.get(`${broken}/a`)),
        await code(peer.dag.get('no path'))
      ]
    }, LEAF)
    assert.deepEqual(told, ['INVALID_OPTION', 'INVALID_OPTION', 'INVALID_OPTION', 'INVALID_OPTION', 'INVALID_OPTION', 'INVALID_OPTION',
      'LIMIT', 'LIMIT', 'INVALID_CID', 'UNSUPPORTED', 'CORRUPT', 'CORRUPT', 'INVALID_CID'])
  })

  await scene.step('blocks and values by every hash', async () => {
    const told = await page.evaluate(async () => {
      const bytes = new TextEncoder().encode('hello world\n')
      const out = {}
      for (const hash of ['sha2-256', 'sha2-512', 'blake2b-256', 'blake3', 'identity']) {
        const { cid } = await peer.block.put(bytes, { hash })
        const value = await peer.dag.put({ hash }, { hash })
        out[hash] = [cid, new TextDecoder().decode(await peer.block.get(cid)), (await peer.dag.get(value.cid)).hash]
      }
      return out
    })
    for (const [hash, [cid, text, value]] of Object.entries(told)) assert.deepEqual([cid !== '', text, value], [true, 'hello world\n', hash])
    assert.equal(told['sha2-256'][0], LEAF)
    assert.equal(told.identity[0], 'bafkqaddimvwgy3zao5xxe3debi')
    assert.equal(new Set(Object.values(told).map(([cid]) => cid)).size, 5)
  })
})
