import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plan } from './src/source.js'

/** Everything of a plan: paths with their bytes as text, folders with undefined. */
async function drain (sorted, size = 4) {
  const out = []
  for (let entry = await sorted.next(); entry; entry = await sorted.next()) {
    out.push([entry.path, entry.bytes && await text(entry.bytes, size)])
  }
  return out
}

async function text (bytes, size) {
  const parts = []
  for (let part = await bytes.next(size); part; part = await bytes.next(size)) parts.push(...part)
  return new TextDecoder().decode(Uint8Array.from(parts))
}

const bytes = text => new TextEncoder().encode(text)
const file = (name, text, folder) => Object.assign(new File([text], name), folder ? { webkitRelativePath: `${folder}/${name}` } : {})

/** A directory handle of the File System Access API, in memory. */
function handle (name, children) {
  return {
    kind: 'directory',
    name,
    async * values () {
      for (const [child, content] of Object.entries(children)) {
        if (typeof content === 'string') yield { kind: 'file', name: child, getFile: async () => file(child, content) }
        else yield handle(child, content)
      }
    }
  }
}

test('a lone file gives the file, whatever it is called', async () => {
  for (const name of ['a.txt', '.env', '<b>x', '\u202etxt.exe', 'ü'.repeat(127)]) {
    const sorted = plan(file(name, 'hello'))
    assert.equal(sorted.directory, false)
    assert.equal(sorted.total, 5)
    assert.equal(sorted.name, name)
    assert.deepEqual(await drain(sorted), [[name, 'hello']])
  }
})

test('every kind of content gives the same bytes', async () => {
  const kinds = {
    blob: new Blob(['hello world']),
    bytes: bytes('hello world'),
    view: new DataView(bytes('__hello world').buffer, 2),
    buffer: bytes('hello world').buffer,
    stream: new Blob(['hello world']).stream(),
    parts: [bytes('h'), bytes(''), bytes('ello wor'), bytes('ld')],
    later: (async function * () { yield bytes('hello '); yield bytes('world') })()
  }
  for (const [kind, content] of Object.entries(kinds)) {
    assert.deepEqual(await drain(plan({ path: 'x', content })), [['x', 'hello world']], kind)
  }
  for (const kind of ['blob', 'bytes', 'view', 'buffer']) {
    assert.deepEqual(await drain(plan(kinds[kind])), [['', 'hello world']], kind)
  }
  assert.deepEqual(await drain(plan(new Blob(['hello']).stream())), [['', 'hello']])
})

test('chunks have the size that was asked for, in the order of the calls', async () => {
  for (const content of [new Blob(['abcdefghij']), bytes('abcdefghij'), [bytes('abcdefg'), bytes('hij')]]) {
    const { bytes: source } = await plan({ path: 'x', content }).next()
    const chunks = await Promise.all([source.next(4), source.next(4), source.next(4), source.next(4)])
    assert.deepEqual(chunks.map(chunk => chunk?.length), [4, 4, 2, undefined])
  }
})

test('a large blob is streamed into chunks of the size that was asked for', async () => {
  const whole = Uint8Array.from({ length: 5 * 1024 * 1024 + 7 }, (_, at) => at % 251)
  const { bytes: source } = await plan(new Blob([whole])).next()
  const chunks = await Promise.all(Array.from({ length: 7 }, () => source.next(1024 * 1024)))
  assert.deepEqual(chunks.map(chunk => chunk?.length), [1048576, 1048576, 1048576, 1048576, 1048576, 7, undefined])
  const joined = Buffer.concat(chunks.filter(Boolean))
  assert.ok(joined.equals(Buffer.from(whole)))
  assert.ok(chunks.filter(Boolean).every(chunk => chunk.buffer.byteLength === chunk.length))
})

test('a large file that vanishes or shrinks while it is read is named', async () => {
  const large = () => new File([new Uint8Array(6 * 1024 * 1024)], 'big.bin')
  const bytesOf = (...parts) => ({ stream: () => new ReadableStream({
    type: 'bytes',
    pull (controller) {
      const part = parts.shift()
      if (part === undefined) { controller.close(); controller.byobRequest?.respond(0) } else if (part instanceof Error) controller.error(part)
      else controller.enqueue(part)
    }
  }) })
  for (const stream of [bytesOf(new Uint8Array(9), new Error('gone')), bytesOf(new Uint8Array(9))]) {
    const sorted = plan(Object.assign(large(), stream))
    const { bytes: source } = await sorted.next()
    const calls = await Promise.allSettled([source.next(100), source.next(100)])
    assert.deepEqual(calls.map(call => call.status), ['rejected', 'rejected'])
    assert.match((await sorted.why({ code: 'NOT_FOUND' })).message, /"big.bin" changed or vanished/)
    sorted.close()
  }
})

test('bytes that the caller changes afterwards are not what the core holds', async () => {
  const mine = bytes('abcd')
  const { bytes: source } = await plan(mine).next()
  const chunk = await source.next(4)
  mine.fill(0)
  assert.equal(new TextDecoder().decode(chunk), 'abcd')
})

test('chunks of a blob from `least` bytes on come unread, all others as bytes', async () => {
  const whole = Uint8Array.from({ length: 5 * 1024 * 1024 + 7 }, (_, at) => at % 251)
  const contents = [whole, new Blob([whole]), new File([whole.subarray(0, 3_000_000)], 'f'), [whole.subarray(0, 100), whole.subarray(100)]]
  for (const content of contents) {
    for (const size of [1048576, 700_001, 5 * 1024 * 1024]) {
      const { bytes: source } = await plan({ path: 'x', content }).next()
      const length = content.size ?? whole.length
      const asked = Array.from({ length: Math.ceil(length / size) + 1 }, () => source.next(size, 600_000))
      const pieces = await Promise.all(asked)
      assert.equal(pieces.pop(), undefined)
      const parts = []
      for (const piece of pieces) {
        const unread = !(piece instanceof Uint8Array)
        const part = unread ? new Uint8Array(await piece.window.arrayBuffer(), piece.from, piece.size) : piece
        assert.equal(unread, content instanceof Blob && part.length >= 600_000)
        parts.push(part)
      }
      assert.ok(Buffer.concat(parts).equals(Buffer.from(whole.subarray(0, length))))
    }
  }
})

test('a blob whose chunks are smaller than `least` is read', async () => {
  const { bytes: source } = await plan(new Blob([new Uint8Array(5 * 1024 * 1024)])).next()
  assert.equal((await source.next(262_144, 600_000)).length, 262_144)
  source.close()
})

test('the last, small chunk of a file that changed meanwhile is named', async () => {
  const file = new File([new Uint8Array(1_000_000)], 'last.bin')
  const sorted = plan(file)
  const { bytes: source } = await sorted.next()
  const gone = { arrayBuffer: async () => { throw new Error('changed') } }
  const { slice } = Blob.prototype
  file.slice = (from, to) => {
    const part = slice.call(file, from, to)
    return from === 0 ? part : Object.assign(part, { slice: () => gone })
  }
  assert.equal((await source.next(700_000, 600_000)).size, 700_000)
  await assert.rejects(source.next(700_000, 600_000), { code: 'NOT_FOUND', message: /"last.bin" changed or vanished/ })
})

test('bytes of shared memory are copied', async () => {
  const shared = new Uint8Array(new SharedArrayBuffer(4096)).fill(7)
  const { bytes: source } = await plan(shared).next()
  const chunk = await source.next(4096, 1)
  assert.ok(chunk.buffer instanceof ArrayBuffer)
  assert.deepEqual(chunk, new Uint8Array(4096).fill(7))
})

test('bytes that become fewer while they are read are no shorter file', async () => {
  const buffer = new ArrayBuffer(8192, { maxByteLength: 8192 })
  const { bytes: source } = await plan(new Uint8Array(buffer)).next()
  assert.equal((await source.next(4096)).length, 4096)
  buffer.resize(5000)
  await assert.rejects(source.next(4096), { code: 'NOT_FOUND', message: /became fewer/ })
})

test('a list gives a directory, even of one file, by its relative path or name', async () => {
  const sorted = plan([file('a', '1'), file('b', '22', 'f'), { path: 'g/', content: undefined }, { path: '/h/i', content: bytes('333') }])
  assert.equal(sorted.directory, true)
  assert.equal(sorted.total, 6)
  assert.deepEqual(await drain(sorted), [['a', '1'], ['f/b', '22'], ['g', undefined], ['h/i', '333']])
  assert.equal(plan([file('a', '1')]).directory, true)
})

test('iterables of entries give a directory too', async () => {
  const some = function * () { yield { path: 'a', content: bytes('1') } }
  assert.deepEqual(await drain(plan(some())), [['a', '1']])
  assert.deepEqual(await drain(plan((async function * () { yield * some() })())), [['a', '1']])
})

test('hidden names are left out, at any depth, unless wanted', async () => {
  const list = () => [file('.git', '1'), file('HEAD', '2', 'f/.git'), file('.env', '3', 'f'), file('b', '4', 'f')]
  assert.deepEqual(await drain(plan(list())), [['f/b', '4']])
  assert.equal(plan(list()).total, 1)
  assert.equal((await drain(plan(list(), { hidden: true }))).length, 4)
  const folder = handle('top', { '.git': { HEAD: 'x' }, a: '1' })
  assert.deepEqual(await drain(plan(folder)), [['a', '1']])
  assert.equal((await drain(plan(folder, { hidden: true }))).length, 3)
})

test('a directory handle gives what it holds, empty folders too', async () => {
  const sorted = plan(handle('top', { a: '1', sub: { b: '2', deep: { c: '3' } }, empty: {} }))
  assert.equal(sorted.name, 'top')
  const got = (await drain(sorted)).sort()
  assert.deepEqual(got, [['a', '1'], ['empty', undefined], ['sub', undefined], ['sub/b', '2'], ['sub/deep', undefined], ['sub/deep/c', '3']])
})

test('wrap names a lone file, and a folder for a list', async () => {
  assert.deepEqual(await drain(plan(bytes('1'), { wrap: '.name' })), [['.name', '1']])
  assert.equal(plan(bytes('1'), { wrap: 'n' }).directory, true)
  assert.deepEqual(await drain(plan([file('a', '1')], { wrap: 'n' })), [['n', undefined], ['n/a', '1']])
})

test('one folder entry gives an empty directory', async () => {
  for (const path of ['/', 'a/']) {
    const sorted = plan({ path })
    assert.equal(sorted.directory, true)
    assert.deepEqual(await drain(sorted), [['', undefined]])
  }
})

test('dir_02 dir_03 path_01: names that are no names are refused', async () => {
  for (const path of ['..', 'a/../b', './a', 'a//b', '//', 'a\0b', '\ud800']) {
    assert.throws(() => plan({ path, content: bytes('') }), { code: 'INVALID_PATH' }, JSON.stringify(path))
    const sorted = plan([{ path, content: bytes('') }])
    await assert.rejects(sorted.next(), { code: 'INVALID_PATH' })
  }
  for (const wrap of ['', '.', '..', 'a/b', 'a\0']) assert.throws(() => plan(bytes(''), { wrap }), { code: 'INVALID_PATH' })
})

test('what is no source, entry or content is refused', async () => {
  for (const source of [undefined, null, 1, 'text', {}, () => {}]) assert.throws(() => plan(source), { code: 'INVALID_OPTION' })
  assert.throws(() => plan({ path: 'x' }), { code: 'INVALID_OPTION' })
  assert.throws(() => plan({ path: 'x', content: 'text' }), { code: 'INVALID_OPTION' })
  assert.throws(() => plan({ path: 'x/', content: bytes('') }), { code: 'INVALID_PATH' })
  await assert.rejects(plan([bytes('x')]).next(), { code: 'INVALID_OPTION' })
  await assert.rejects(plan([new Blob(['x'])]).next(), { code: 'INVALID_PATH' })
  const { bytes: source } = await plan({ path: 'x', content: ['text'] }).next()
  await assert.rejects(source.next(1), { code: 'INVALID_OPTION' })
})

test('links, modes and times come as they were given', async () => {
  const mtime = { secs: -5, nsecs: 7 }
  const entries = [
    { path: 'a', symlink: '../b', mode: 0o777 }, { path: 'c', cid: 'bafy', tsize: 9 }, { path: 'd/', mtime: { secs: 1 } },
    { path: '/', mode: 0o755 }, { path: 'e', content: bytes('1'), mode: 0, mtime }
  ]
  const sorted = plan(entries)
  const out = []
  for (let entry = await sorted.next(); entry; entry = await sorted.next()) {
    const { bytes, ...rest } = entry
    out.push({ ...rest, file: bytes !== undefined })
  }
  assert.deepEqual(out, [
    { path: 'a', symlink: '../b', mode: 0o777, file: false }, { path: 'c', cid: 'bafy', tsize: 9, file: false },
    { path: 'd', mode: undefined, secs: 1, nsecs: 0, file: false }, { path: '', mode: 0o755, file: false },
    { path: 'e', mode: 0, secs: -5, nsecs: 7, file: true }
  ])
  for (const entry of [{ symlink: 'x' }, { cid: 'bafy', tsize: 1 }]) assert.equal(plan(entry).directory, false)
})

test('entries that contradict themselves are refused', () => {
  const wrong = [
    { path: 'x', symlink: 1 }, { path: 'x', symlink: '\ud800' }, { path: 'x', cid: 'bafy' }, { path: 'x', cid: 'bafy', tsize: -1 },
    { path: 'x', cid: 'bafy', tsize: 1, mode: 1 }, { path: 'x', symlink: 'y', content: bytes('') }, { path: 'x/', tsize: 1 },
    { path: 'x', content: bytes(''), mode: -1 }, { path: 'x', content: bytes(''), mode: 2 ** 32 }, { path: 'x/', mtime: 5 },
    { path: 'x/', mtime: { secs: 0.5 } }, { path: 'x/', mtime: { secs: 1, nsecs: 1e9 } }, { path: 'x/', mtime: null }
  ]
  for (const entry of wrong) assert.throws(() => plan(entry), { code: 'INVALID_OPTION' }, JSON.stringify(entry))
  assert.throws(() => plan({ path: 'x/', symlink: 'y' }), { code: 'INVALID_PATH' })
  assert.throws(() => plan({ path: 'x', cid: 1, tsize: 1 }), { code: 'INVALID_CID' })
})

test('a file that vanishes or shrinks while it is read is named', async () => {
  const gone = Object.assign(new File(['abcdefgh'], 'a.txt'), { slice: () => ({ arrayBuffer: async () => { throw new Error('gone') } }) })
  const shrunk = Object.assign(new File(['abcdefgh'], 'a.txt'), { slice: () => new Blob(['ab']) })
  const never = Object.assign(new File([], 'a.txt'), { arrayBuffer: async () => { throw new Error('gone') } })
  for (const blob of [gone, shrunk, never]) {
    const sorted = plan(blob)
    const { bytes: source } = await sorted.next()
    await assert.rejects(source.next(4), { code: 'NOT_FOUND', message: /"a.txt" changed or vanished/ })
    assert.match((await sorted.why({ code: 'NOT_FOUND' })).message, /a\.txt/)
    assert.equal((await sorted.why({ code: 'QUOTA' })).code, 'QUOTA')
  }
})

test('a source that fails is told with its cause, and all ends', async () => {
  const cause = new Error('the disk burned')
  const broken = new ReadableStream({ pull (controller) { controller.error(cause) } })
  const sorted = plan({ path: 'x', content: broken })
  const { bytes: source } = await sorted.next()
  const calls = [source.next(4), source.next(4)]
  await assert.rejects(calls[0])
  await Promise.allSettled(calls)
  const why = await sorted.why({ code: 'NOT_FOUND' })
  assert.equal(why.cause, cause)
  assert.match(why.message, /"x".*the disk burned/)
})

test('closing ends streams and iterators of the caller', async () => {
  let cancelled = 0
  const stream = new ReadableStream({ pull (controller) { controller.enqueue(bytes('ab')) }, cancel () { cancelled++ } })
  const sorted = plan((function * () {
    try { yield { path: 'x', content: stream } } finally { cancelled++ }
  })())
  const { bytes: source } = await sorted.next()
  await source.next(2)
  sorted.close()
  await new Promise(resolve => setTimeout(resolve))
  assert.equal(cancelled, 2)
})
