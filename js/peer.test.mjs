import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ADD, CAT, DAG_PUT, PUT, START } from './src/calls.js'
import { AvocetError } from './src/errors.js'
import { Meter } from './src/meter.js'
import { read } from './src/options.js'
import { iterable, readable } from './src/streams.js'
import { Tasks } from './src/tasks.js'

/** A call of the core that ends when the test says so. */
function call () {
  let resolve, reject
  const promise = new Promise((_resolve, _reject) => { resolve = _resolve; reject = _reject })
  const task = { promise, cancelled: false, freed: 0, cancel () { task.cancelled = true }, free () { task.freed++ } }
  return { task, resolve, reject }
}

/** A sequence of the core. */
function sequence (values) {
  const pull = {
    asked: 0,
    cancelled: false,
    total: undefined,
    cancel () { pull.cancelled = true },
    next () {
      pull.asked++
      const value = values.shift()
      const promise = value instanceof Error ? Promise.reject(value) : Promise.resolve(value)
      return { promise, cancel () {}, free () {} }
    }
  }
  return pull
}

test('options are read by their rules', () => {
  assert.deepEqual(read(undefined, CAT, 'cat'), {})
  assert.deepEqual(read({ offset: 3, length: undefined }, CAT, 'cat'), { offset: 3 })
  assert.equal(read({ chunker: 'size-262144' }, ADD, 'add').chunker, 'size-262144')
  assert.deepEqual(read({ iceServers: [{ urls: 'stun:a' }] }, START, 'createPeer').iceServers,
    [{ urls: ['stun:a'], username: undefined, credential: undefined }])
  assert.deepEqual(read({ routers: [], gateways: [] }, START, 'createPeer'), { routers: undefined, gateways: undefined })
})

test('what an option cannot be is said with its name', () => {
  const cases = [
    [{ offset: -1 }, CAT], [{ offset: 1.5 }, CAT], [{ length: '3' }, CAT], [{ signal: {} }, CAT], [{ providers: 'x' }, CAT],
    [{ chunker: 7 }, ADD], [{ layout: 'flat' }, ADD], [{ inlineLimit: 129 }, ADD], [{ hamtSize: 'x' }, ADD], [{ profile: 'x' }, ADD], [{ cidVersion: 2 }, ADD], [{ onProgress: 1 }, ADD],
    [{ pin: 1 }, ADD], [{ hash: 'md5' }, ADD], [{ chunkr: 'size-1' }, ADD], [{ relays: [1] }, START], [{ iceServers: [{}] }, START]
  ]
  for (const [options, rules] of cases) {
    const [name] = Object.keys(options)
    assert.throws(() => read(options, rules, 'call'), error => error.code === 'INVALID_OPTION' && error.message.includes(name), name)
  }
  assert.throws(() => read('x', CAT, 'cat'), { code: 'INVALID_OPTION' })
})

test('what is not built yet is refused with its name', () => {
  const cases = [
    [{ routers: ['https://a'] }, START], [{ gateways: ['https://a'] }, START]
  ]
  for (const [options, rules] of cases) {
    const [name] = Object.keys(options)
    assert.throws(() => read(options, rules, 'call'), error => error.code === 'UNSUPPORTED' && error.message.includes(name), name)
  }
})

test('a call ends with what the core answers', async () => {
  const tasks = new Tasks()
  const good = call()
  const run = tasks.run(() => good.task)
  good.resolve(7)
  assert.equal(await run, 7)
  assert.equal(good.task.freed, 1)
  const bad = call()
  const failed = tasks.run(() => bad.task)
  bad.reject({ code: 'INVALID_CID', message: 'no cid' })
  await assert.rejects(failed, error => error instanceof AvocetError && error.code === 'INVALID_CID' && error.message === 'no cid')
  await assert.rejects(tasks.run(() => { throw new TypeError('x') }), { code: 'INTERNAL' })
})

test('a signal ends a call with its reason, before and during it', async () => {
  const tasks = new Tasks()
  await assert.rejects(tasks.run(() => assert.fail('must not start'), AbortSignal.abort()), { name: 'AbortError' })
  const ends = new AbortController()
  const { task } = call()
  const run = tasks.run(() => task, ends.signal)
  ends.abort()
  await assert.rejects(run, { name: 'AbortError' })
  assert.deepEqual([task.cancelled, task.freed], [true, 1])
  const reason = new Error('mine')
  await assert.rejects(tasks.run(() => task, AbortSignal.abort(reason)), error => error === reason)
})

test('closing ends what is under way and what comes later', async () => {
  const tasks = new Tasks()
  const { task } = call()
  const run = tasks.run(() => task)
  const stopped = new AvocetError('STOPPED', 'stopped')
  tasks.close(stopped)
  await assert.rejects(run, error => error === stopped)
  assert.equal(task.cancelled, true)
  await assert.rejects(tasks.run(() => assert.fail('must not start')), { code: 'STOPPED' })
})

test('a trap of the core is told once and for all', async () => {
  let told
  const tasks = new Tasks(error => { told = error })
  await assert.rejects(tasks.run(() => { throw new WebAssembly.RuntimeError('unreachable') }), { code: 'INTERNAL' })
  assert.equal(told.code, 'INTERNAL')
})

test('a stream pulls one value for each read, and none before', async () => {
  const pull = sequence([1, 2, 3])
  let opened = 0
  const stream = readable(new Tasks(), () => { opened++; return pull })
  await new Promise(resolve => setTimeout(resolve))
  assert.equal(opened, 0)
  const reader = stream.getReader()
  assert.equal((await reader.read()).value, 1)
  assert.equal(pull.asked, 1)
  reader.releaseLock()
  const rest = []
  for await (const value of stream) rest.push(value)
  assert.deepEqual(rest, [2, 3])
  assert.equal(pull.cancelled, true)
})

test('a stream ends by cancel, by its signal and by an error', async () => {
  const cancelled = sequence([1, 2])
  for await (const value of readable(new Tasks(), () => cancelled)) { assert.equal(value, 1); break }
  assert.equal(cancelled.cancelled, true)

  const ends = new AbortController()
  const aborted = sequence([1, 2])
  const reader = readable(new Tasks(), () => aborted, ends.signal).getReader()
  await reader.read()
  ends.abort()
  await assert.rejects(reader.read(), { name: 'AbortError' })
  assert.equal(aborted.cancelled, true)
  await assert.rejects(readable(new Tasks(), () => sequence([]), AbortSignal.abort()).getReader().read(), { name: 'AbortError' })

  const failing = readable(new Tasks(), () => sequence([1, new AvocetError('CORRUPT', 'x')])).getReader()
  await failing.read()
  await assert.rejects(failing.read(), { code: 'CORRUPT' })
})

test('streams without an iterator of their own get one', async () => {
  const make = () => {
    let at = 0
    let cancelled = false
    const stream = new ReadableStream({ pull (controller) { if (at < 3) controller.enqueue(at++); else controller.close() }, cancel () { cancelled = true } })
    const bare = { getReader: () => stream.getReader() }
    return { bare: iterable(bare), cancelled: () => cancelled }
  }
  const whole = make()
  const got = []
  for await (const value of whole.bare) got.push(value)
  assert.deepEqual(got, [0, 1, 2])
  assert.equal(whole.cancelled(), false)
  const half = make()
  for await (const value of half.bare) if (value === 1) break
  assert.equal(half.cancelled(), true)
  const kept = make()
  for await (const value of kept.bare.values({ preventCancel: true })) if (value === 1) break
  assert.equal(kept.cancelled(), false)
})

test('transfers are told ten times a second at most, and no byte is lost', () => {
  let now = 0
  const timers = []
  const told = []
  const meter = new Meter(transfer => told.push({ ...transfer, at: now }), { now: () => now, later: (run, ms) => timers.push({ run, at: now + ms }) })
  for (; now < 1000; now++) {
    for (const timer of timers.splice(0)) timer.at <= now ? timer.run() : timers.push(timer)
    meter.add({ cid: `c${now}`, peer: now % 3 ? 'a' : 'b', bytes: 10 })
  }
  assert.ok(told.length <= 10, `${told.length} events`)
  while (timers.length) { const timer = timers.shift(); now = Math.max(now, timer.at); timer.run() }
  assert.equal(told.reduce((sum, { bytes }) => sum + bytes, 0), 10_000)
  for (const [index, { at }] of told.entries()) if (index) assert.ok(at - told[index - 1].at >= 100)
  assert.deepEqual([...new Set(told.map(({ peer }) => peer))].sort(), ['a', 'b'])
})

test('the clock of the browser is called as a browser lets it be called', async t => {
  // A browser's setTimeout throws when it is called as a method of something else.
  const real = globalThis.setTimeout
  t.mock.method(globalThis, 'setTimeout', function (run, ms) {
    if (this !== undefined && this !== globalThis) throw new TypeError('Illegal invocation')
    return real(run, ms)
  })
  const told = []
  const meter = new Meter(transfer => told.push(transfer.bytes))
  meter.add({ cid: 'c', peer: 'p', bytes: 1 })
  meter.add({ cid: 'c', peer: 'p', bytes: 2 })
  await new Promise(resolve => real(resolve, 150))
  assert.deepEqual(told, [1, 2])
})

test('a crowd of peers and roots keeps the meter small', () => {
  let total = 0
  const timers = []
  let now = 0
  const meter = new Meter(({ bytes }) => { total += bytes }, { now: () => now, later: (run, ms) => timers.push({ run, at: now + ms }) })
  for (let root = 0; root < 10_000; root++) meter.add({ cid: 'c', root: `${root}`, peer: 'p', bytes: 1 })
  let events = 0
  while (timers.length) { const timer = timers.shift(); now = timer.at; timer.run(); events++ }
  assert.equal(total, 10_000)
  assert.ok(events <= 260, `${events} events waited`)
})

test('blocks and data take every codec and hash, and nothing else', () => {
  assert.deepEqual(read({ codec: 'dag-json', hash: 'blake3' }, PUT, 'block.put'), { codec: 'dag-json', hash: 'blake3' })
  assert.deepEqual(read({ codec: 'dag-pb', hash: 'identity', pin: true }, DAG_PUT, 'dag.put'), { codec: 'dag-pb', hash: 'identity', pin: true })
  for (const { codec } of [{ codec: 'cbor' }, { codec: 0x71 }, { codec: 'toString' }]) {
    assert.throws(() => read({ codec }, DAG_PUT, 'dag.put'), { code: 'INVALID_OPTION' })
  }
  assert.throws(() => read({ hash: 'sha1' }, PUT, 'block.put'), { code: 'INVALID_OPTION' })
  assert.throws(() => read({ pin: true }, PUT, 'block.put'), { code: 'INVALID_OPTION' })
})
