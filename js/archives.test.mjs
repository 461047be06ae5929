import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Archives } from './src/archives.js'
import { CAR_OUT } from './src/calls.js'
import { read } from './src/options.js'
import { Tasks } from './src/tasks.js'

const storage = { look () {}, failed () {} }
const task = promise => ({ promise, cancel () {}, free () {} })

/** A core that pulls all of an archive, in the sizes given, and answers with what it was asked. */
function core (sizes = [4]) {
  const asked = {}
  return {
    asked,
    carImport (bytes, total, pin, name, progress) {
      const all = async () => {
        const got = []
        for (let turn = 0; ; turn++) {
          const piece = await bytes.next(sizes[turn % sizes.length])
          if (!piece) break
          got.push(...piece)
          progress(got.length)
        }
        Object.assign(asked, { total, pin, name, got })
        return { roots: ['a'], blocks: 1, bytes: got.length }
      }
      return task(all().catch(error => { throw { code: 'NOT_FOUND', message: error.message } }))
    },
    carExport (path, config, providers) {
      Object.assign(asked, { path, config, providers })
      const pieces = [[Uint8Array.of(1)], [Uint8Array.of(2), Uint8Array.of(3)]]
      return { total: undefined, cancel () { asked.cancelled = true }, next: () => task(Promise.resolve(pieces.shift())) }
    }
  }
}

const archives = node => new Archives(new Tasks(), node, storage)

test('an archive is pulled from every kind of source', async () => {
  const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7)
  const stream = () => new ReadableStream({ start (out) { out.enqueue(bytes.slice(0, 2)); out.enqueue(bytes.slice(2)); out.close() } })
  const sources = [[bytes, 7], [bytes.slice().buffer, 7], [new Blob([bytes]), 7], [stream(), undefined], [[bytes], undefined]]
  for (const [source, total] of sources) {
    const node = core([3, 2])
    const told = []
    const result = await archives(node).import(source, { onProgress: now => told.push(now) })
    assert.deepEqual(result, { roots: ['a'], blocks: 1, bytes: 7 })
    assert.deepEqual(node.asked, { total, pin: true, name: undefined, got: [...bytes] })
    assert.deepEqual(told.at(-1), { loaded: 7, total })
  }
})

test('a pin is called as the file is, without its ending', async () => {
  const node = core()
  await archives(node).import(new File(['x'], 'photos.CAR'))
  assert.equal(node.asked.name, 'photos')
  await archives(node).import(new File(['x'], 'photos.car'), { name: 'other', pin: false })
  assert.deepEqual([node.asked.name, node.asked.pin], ['other', false])
})

test('what is no archive, and a source that fails, is said', async () => {
  await assert.rejects(archives(core()).import(42), { code: 'INVALID_OPTION' })
  await assert.rejects(archives(core()).import(new Blob([]), { pins: true }), { code: 'INVALID_OPTION' })
  const cause = new Error('unplugged')
  const failing = new ReadableStream({ pull () { throw cause } })
  await assert.rejects(archives(core()).import(failing), error => error.code === 'NOT_FOUND' && error.cause === cause)
  await assert.rejects(archives(core()).import(new Blob([]), { signal: AbortSignal.abort() }), { name: 'AbortError' })
})

test('an export asks for what its options say', async () => {
  const node = core()
  const out = []
  for await (const piece of archives(node).export('bafy', { path: '/a/b', entityBytes: [-5, null], dups: true, providers: ['/x'] })) out.push(...piece)
  assert.deepEqual(out, [1, 2, 3])
  assert.deepEqual(node.asked, { path: 'bafy/a/b', config: { scope: 'all', dups: true, from: -5, to: undefined }, providers: ['/x'], cancelled: true })
  await archives(node).export('/ipfs/bafy/', { scope: 'block' }).getReader().read()
  assert.deepEqual([node.asked.path, node.asked.config], ['/ipfs/bafy/', { scope: 'block', dups: false, from: undefined, to: undefined }])
})

test('ranges are two whole numbers, the second of which may be missing', () => {
  const range = entityBytes => read({ entityBytes }, CAR_OUT, 'car.export').entityBytes
  assert.deepEqual([range([0, 9]), range([-9, -1]), range([3]), range([3, undefined]), range([3, '*'])],
    [[0, 9], [-9, -1], [3, undefined], [3, undefined], [3, undefined]])
  for (const wrong of [[], ['0', 1], [0, 1, 2], [0.5, 1], '0:1', [0, NaN], [undefined, 1]]) {
    assert.throws(() => range(wrong), { code: 'INVALID_OPTION' }, JSON.stringify(wrong))
  }
  assert.throws(() => read({ scope: 'some' }, CAR_OUT, 'car.export'), { code: 'INVALID_OPTION' })
})

test('the names of a path are written as what they are behind', async () => {
  for (const [cid, path, expected] of [
    ['bafk', 'a?b/100%', 'bafk/a?b/100%'],
    ['ipfs://bafk', '/a?b/100%', 'ipfs://bafk/a%3Fb/100%25'],
    ['/ipfs/bafk/', '', '/ipfs/bafk/']
  ]) {
    const node = core()
    await archives(node).export(cid, { path }).cancel()
    const { value } = await archives(node).export(cid, { path }).getReader().read()
    assert.equal(value?.length, 1)
    assert.equal(node.asked.path, expected)
  }
})
