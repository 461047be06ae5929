// What the browser itself can do, without Avocet: the figures that the others are held against.
// Plain JavaScript, written as the platform's documentation recommends.

export const MIB = 1024 * 1024
const PUTS_A_TRANSACTION = 16
const READS_AT_ONCE = 8
/** 16 KiB to 256 KiB make no difference between two Chromiums; 64 KiB is what most guides say. */
const MESSAGE = 64 * 1024
const HIGH_WATER = 4 * MIB
const LOW_WATER = MIB

const done = request => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result)
  request.onerror = () => reject(request.error)
})
const committed = transaction => new Promise((resolve, reject) => {
  transaction.oncomplete = () => resolve()
  transaction.onabort = () => reject(transaction.error)
})

/** `size` bytes that no earlier call gave: random once, then marked anew in every KiB. */
let pool
let generation = 0
export function freshBytes (size) {
  if (pool === undefined || pool.length !== size) {
    pool = new Uint8Array(size)
    for (let at = 0; at < size; at += 65536) crypto.getRandomValues(pool.subarray(at, at + 65536))
  }
  const mark = new Uint32Array([++generation, performance.now() * 1000, Math.random() * 2 ** 32])
  for (let at = 0; at + 12 <= size; at += 1024) pool.set(new Uint8Array(mark.buffer), at)
  return pool
}

/** A file of such bytes, as one that a person chooses: the browser's own process has it, and it changed long ago. */
export async function freshFile (size) {
  const file = new File([freshBytes(size)], 'f', { lastModified: 0 })
  await file.slice(-1).arrayBuffer()
  return file
}

/** Puts `count` values of 1 MiB under 32-byte keys and reads them again; ms for both. */
export async function rawIndexedDb (count) {
  const name = `raw-${performance.now()}`
  const opening = indexedDB.open(name, 1)
  opening.onupgradeneeded = () => opening.result.createObjectStore('values')
  const db = await done(opening)
  const bytes = freshBytes(count * MIB)
  const values = Array.from({ length: count }, (_none, i) => bytes.slice(i * MIB, (i + 1) * MIB))
  const keys = Array.from({ length: count }, () => crypto.getRandomValues(new Uint8Array(32)))

  const beganPut = performance.now()
  for (let at = 0; at < count; at += PUTS_A_TRANSACTION) {
    const transaction = db.transaction('values', 'readwrite', { durability: 'relaxed' })
    const store = transaction.objectStore('values')
    for (let i = at; i < Math.min(at + PUTS_A_TRANSACTION, count); i++) store.put(values[i], keys[i])
    await committed(transaction)
  }
  const put = performance.now() - beganPut

  const beganRead = performance.now()
  let read = 0
  for (let at = 0; at < count; at += READS_AT_ONCE) {
    const store = db.transaction('values').objectStore('values')
    const got = await Promise.all(keys.slice(at, at + READS_AT_ONCE).map(key => done(store.get(key))))
    for (const value of got) read += value.byteLength
  }
  const get = performance.now() - beganRead
  if (read !== count * MIB) throw new Error(`read ${read} bytes`)

  db.close()
  await done(indexedDB.deleteDatabase(name))
  return { put, get }
}

// ---- one data channel between two pages; offer and answer go by hand, through whoever runs the benchmark

let connection
let channel
let received = 0
let whole

const gathered = pc => new Promise(resolve => {
  if (pc.iceGatheringState === 'complete') return resolve()
  pc.onicegatheringstatechange = () => { if (pc.iceGatheringState === 'complete') resolve() }
})

function use (opened) {
  channel = opened
  channel.binaryType = 'arraybuffer'
  channel.bufferedAmountLowThreshold = LOW_WATER
  channel.onmessage = ({ data }) => {
    received += data.byteLength
    if (whole !== undefined && received >= whole.size) whole.resolve(performance.now())
  }
}

export async function channelOffer () {
  connection = new RTCPeerConnection()
  use(connection.createDataChannel('raw'))
  await connection.setLocalDescription(await connection.createOffer())
  await gathered(connection)
  return connection.localDescription.sdp
}

export async function channelAnswer (sdp) {
  connection = new RTCPeerConnection()
  connection.ondatachannel = event => use(event.channel)
  await connection.setRemoteDescription({ type: 'offer', sdp })
  await connection.setLocalDescription(await connection.createAnswer())
  await gathered(connection)
  return connection.localDescription.sdp
}

export async function channelReady (sdp) {
  if (sdp !== undefined) await connection.setRemoteDescription({ type: 'answer', sdp })
  while (channel === undefined) {
    await new Promise(resolve => connection.addEventListener('datachannel', resolve, { once: true }))
  }
  if (channel.readyState !== 'open') {
    await new Promise(resolve => channel.addEventListener('open', resolve, { once: true }))
  }
}

/** Readies this end to take `size` bytes; `channelReceived` tells how long they took from the first on. */
export function channelExpect (size) {
  received = 0
  let resolve
  const promise = new Promise(settle => { resolve = settle })
  whole = { size, promise, resolve, began: performance.now() }
}

/** Asks for the bytes that `channelExpect` awaits, by the channel itself, and gives the ms until all were here. */
export async function channelFetch () {
  whole.began = performance.now()
  channel.send(String(whole.size))
  return await whole.promise - whole.began
}

/** Serves every request that comes: the size asked for, in messages, never more buffered than the high water. */
export function channelServe () {
  channel.onmessage = async ({ data }) => {
    const size = Number(data)
    const bytes = freshBytes(size)
    for (let at = 0; at < size; at += MESSAGE) {
      if (channel.bufferedAmount > HIGH_WATER) {
        await new Promise(resolve => channel.addEventListener('bufferedamountlow', resolve, { once: true }))
      }
      channel.send(bytes.subarray(at, at + MESSAGE))
    }
  }
}

export function channelClose () {
  connection.close()
  channel = undefined
}
