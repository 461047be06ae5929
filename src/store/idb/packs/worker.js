// Reads and writes packs, of which packs.rs tells. Asked [number, act, ...arguments] it answers [number, value] or
// [number, undefined, error]; [0] asks the page to tidy up. Nothing here waits between looking at a pack and using it.

/** As many tabs as like may have a file open. */
const SHARED = { mode: 'readwrite-unsafe' }
/** Bytes from which on a pack is not appended to. */
const FULL = 64 * 1024 * 1024
/** Files that are open at once. */
const OPEN = 32
/** Milliseconds without a read after which files are closed, so that another tab can remove them. */
const IDLE = 1000

/** How often a file is to be removed that another tab may have to close first, and milliseconds in between. */
const TRIES = 10
const PAUSE = 50
/** Windows of files in memory at once, of 8 MiB each. */
const WINDOWS = 4

/**
 * @typedef {{ pack: string, at: number, len: number }} Place
 * @typedef {{ id: number, window: Blob, from: number, size: number }} Unread a part of a window
 * @typedef {{ name: string, file: any, end: number, held: number, gaps: Map<number, number[]> }} Pack
 */

/** @type {any} */
let folder
/** @type {BroadcastChannel} */
let channel
let owner = ''
let made = 0
/** Packs of this worker's own. @type {Map<string, Pack>} */
const own = new Map()
/** The one that is appended to. @type {Pack | undefined} */
let current
/** The one after it. @type {Promise<Pack> | undefined} */
let spare
/** @type {Promise<void> | undefined} */
let renewing
/** Open files, the longest unused first. @type {Map<string, Promise<any>>} */
const files = new Map()
/** Packs that were written to since the last flush. @type {Set<string>} */
const dirty = new Set()
/** Windows of which not every part was taken. @type {Map<number, { left: number, buffer: Promise<ArrayBuffer> }>} */
const windows = new Map()
/** @type {ReturnType<typeof setTimeout> | undefined} */
let idle

/** @type {Record<string, (...args: any[]) => any>} */
const acts = {
  /** @param {string} path @param {string} lock */
  async open (path, lock) {
    const { FileSystemSyncAccessHandle: Handle } = /** @type {any} */ (globalThis)
    if (!('mode' in Handle.prototype)) throw new DOMException('no file can be open in two tabs', 'NotSupportedError')
    folder = await (await navigator.storage.getDirectory()).getDirectoryHandle(path, { create: true })
    owner = crypto.randomUUID()
    // Held for as long as this worker lives: what it wrote is nobody else's to tidy up.
    await new Promise((held, refused) => {
      navigator.locks.request(lock + owner, () => { held(undefined); return new Promise(() => {}) }).catch(refused)
    })
    channel = new BroadcastChannel(lock)
    channel.onmessage = ({ data }) => {
      rest()
      if (data === 'tidy') postMessage([0])
    }
  },

  /** @param {ArrayBuffer} buffer */
  write: buffer => put(new Uint8Array(buffer)),

  /** @param {ArrayBuffer | Unread} part */
  async take (part) {
    const bytes = part instanceof ArrayBuffer ? new Uint8Array(part) : await unread(part)
    const digest = await crypto.subtle.digest('SHA-256', bytes)
    return [new Uint8Array(digest), await put(bytes)]
  },

  /** @param {Place} place */
  async read (place) {
    const bytes = await get(place).catch(error => {
      // A name that no file can have, say.
      throw error instanceof TypeError ? new DOMException(error.message, 'DataError') : error
    })
    return bytes.buffer
  },

  /** @param {Place[]} kept @param {Place[]} left */
  done (kept, left) {
    for (const { pack: name } of [...kept, ...left]) {
      const pack = own.get(name)
      if (pack) pack.held--
    }
    for (const { pack, at, len } of left) if (pack === current?.name) gap(current, at, len)
  },

  async flush () {
    for (const name of [...dirty]) {
      const file = await opened(name)
      file.flush()
      dirty.delete(name)
    }
  },

  async list () {
    const packs = []
    const unused = (await spare?.catch(() => {}))?.name
    for await (const [name, handle] of folder.entries()) {
      if (name === unused) continue
      const pack = own.get(name)
      // One that another tab removed meanwhile has no size.
      const size = pack ? pack.end : await handle.getFile().then((/** @type {File} */ file) => file.size, () => undefined)
      if (size !== undefined) packs.push({ name, size, mine: pack !== undefined })
    }
    return packs
  },

  /** Whether nothing more will come to lie in a pack of ours. @param {string} name */
  seal (name) {
    if (own.get(name)?.held) return false
    if (current?.name === name) current = undefined
    return true
  },

  /** @param {Place[]} places */
  async move (places) {
    const moved = []
    for (const place of places) moved.push(await put(await get(place)))
    return moved
  },

  /** @param {string[]} names */
  async remove (names) {
    channel.postMessage('rest')
    for (const name of names) {
      await close(name)
      own.delete(name)
      dirty.delete(name)
      for (let left = TRIES; left > 0 && !await removed(name); left--) await new Promise(resolve => setTimeout(resolve, PAUSE))
    }
  },

  call () { channel.postMessage('tidy') }
}

/** False while another tab has the file open. What cannot be removed goes the next time. @param {string} name */
const removed = name => folder.removeEntry(name).then(() => true, (/** @type {Error} */ error) => error.name !== 'NoModificationAllowedError')

/** A part of a file, of which more is read at once. @param {Unread} part */
async function unread ({ id, window, from, size }) {
  let read = windows.get(id)
  if (!read) {
    const [oldest] = windows.keys()
    if (windows.size >= WINDOWS) windows.delete(oldest)
    read = { left: window.size, buffer: window.arrayBuffer() }
    windows.set(id, read)
  }
  read.left -= size
  if (read.left <= 0) windows.delete(id)
  const buffer = await read.buffer.catch(() => {})
  if (buffer?.byteLength === window.size) return new Uint8Array(buffer, from, size)
  throw Object.assign(new Error('it changed or vanished meanwhile; choose it again'), { name: 'Unreadable' })
}

/** @param {Uint8Array} bytes @returns {Promise<Place>} */
async function put (bytes) {
  const len = bytes.length
  while (!current || (current.end + len > FULL && !current.gaps.get(len)?.length)) {
    renewing ??= renew().finally(() => { renewing = undefined })
    await renewing
  }
  const pack = current
  const at = pack.gaps.get(len)?.pop() ?? pack.end
  pack.end = Math.max(pack.end, at + len)
  try {
    for (let done = 0; done < len;) {
      const written = pack.file.write(bytes.subarray(done), { at: at + done })
      if (!(written > 0)) throw new DOMException('the disk is full', 'QuotaExceededError')
      done += written
    }
  } catch (error) {
    gap(pack, at, len)
    throw error
  }
  pack.held++
  dirty.add(pack.name)
  return { pack: pack.name, at, len }
}

/** Begins a pack, and has the one after it ready by then: that takes a browser some 20 ms. */
async function renew () {
  const pack = await (spare ?? make())
  spare = make()
  spare.catch(() => { spare = undefined })
  files.set(pack.name, Promise.resolve(pack.file))
  own.set(pack.name, pack)
  current = pack
}

/** @returns {Promise<Pack>} */
async function make () {
  const name = `${owner}.${++made}`
  const handle = await folder.getFileHandle(name, { create: true })
  return { name, file: await handle.createSyncAccessHandle(SHARED), end: 0, held: 0, gaps: new Map() }
}

/** @param {Pack} pack @param {number} at @param {number} len */
function gap (pack, at, len) {
  const gaps = pack.gaps.get(len)
  if (gaps) gaps.push(at)
  else pack.gaps.set(len, [at])
}

/** @param {Place} place */
async function get ({ pack, at, len }) {
  for (;;) {
    const opening = opened(pack)
    const file = await opening
    if (files.get(pack) !== opening) continue
    const bytes = new Uint8Array(len)
    if (file.read(bytes, { at }) !== len) throw new DOMException('the file is too short', 'NotFoundError')
    return bytes
  }
}

/** @param {string} name */
function opened (name) {
  clearTimeout(idle)
  idle = setTimeout(rest, IDLE)
  let opening = files.get(name)
  files.delete(name)
  if (!opening) {
    opening = folder.getFileHandle(name).then((/** @type {any} */ handle) => handle.createSyncAccessHandle(SHARED))
    opening?.catch(() => files.delete(name))
  }
  files.set(name, /** @type {Promise<any>} */ (opening))
  for (const other of files.keys()) {
    if (files.size <= OPEN) break
    if (other !== current?.name && other !== name) close(other)
  }
  return files.get(name)
}

/** @param {string} name */
async function close (name) {
  const opening = files.get(name)
  files.delete(name)
  const file = await opening?.catch(() => {})
  file?.close()
}

function rest () {
  for (const name of files.keys()) if (name !== current?.name) close(name)
}

onmessage = async ({ data: [number, act, ...args] }) => {
  try {
    const value = await acts[act](...args)
    postMessage([number, value], /** @type {any} */ (act === 'read' ? [value] : []))
  } catch (error) {
    const { name, message } = /** @type {Error} */ (error)
    // What was given away comes back, to be tried again.
    const given = args.filter(part => part instanceof ArrayBuffer)
    postMessage([number, undefined, { name, message, given: given[0] }], /** @type {any} */ (given))
  }
}
