// A reader of zip archives, by their central directory: names as raw bytes, so that odd ones are seen as they are.
import { readFile } from 'node:fs/promises'
import { crc32 } from './crc32.mjs'
import { inflateRawSync } from 'node:zlib'

const END = 0x06054b50
const END_64 = 0x06064b50
const END_64_LOCATOR = 0x07064b50
const CENTRAL = 0x02014b50
const LOCAL = 0x04034b50
const UTF8_FLAG = 1 << 11
const U32_MAX = 0xffffffff

/**
 * @returns {Promise<Map<string, Buffer>>} the files of the archive by name; folders (names that end in `/`) hold nothing
 */
export async function readZip (path) {
  const zip = await readFile(path)
  const { count, offset } = directory(zip)
  const files = new Map()
  let at = offset
  for (let i = 0; i < count; i++) {
    const { entry, next } = centralEntry(zip, at)
    if (files.has(entry.name)) throw new Error(`zip holds ${JSON.stringify(entry.name)} twice`)
    files.set(entry.name, content(zip, entry))
    at = next
  }
  return files
}

function directory (zip) {
  for (let at = zip.length - 22; at >= 0; at--) {
    if (zip.readUInt32LE(at) !== END) continue
    const locator = at - 20
    if (locator >= 0 && zip.readUInt32LE(locator) === END_64_LOCATOR) {
      const end64 = Number(zip.readBigUInt64LE(locator + 8))
      if (zip.readUInt32LE(end64) !== END_64) throw new Error('zip64 end record is not where its locator says')
      return { count: Number(zip.readBigUInt64LE(end64 + 32)), offset: Number(zip.readBigUInt64LE(end64 + 48)) }
    }
    return { count: zip.readUInt16LE(at + 10), offset: zip.readUInt32LE(at + 16) }
  }
  throw new Error('no end of central directory: the zip is cut short')
}

function centralEntry (zip, at) {
  if (zip.readUInt32LE(at) !== CENTRAL) throw new Error(`no central entry at ${at}`)
  const nameEnd = at + 46 + zip.readUInt16LE(at + 28)
  const extraEnd = nameEnd + zip.readUInt16LE(at + 30)
  const name = zip.subarray(at + 46, nameEnd).toString('utf8')
  const plainAscii = /^[\x20-\x7e]*$/.test(name)
  if (!plainAscii && (zip.readUInt16LE(at + 8) & UTF8_FLAG) === 0) throw new Error(`name ${name} is not marked UTF-8`)
  const entry = {
    name,
    method: zip.readUInt16LE(at + 10),
    crc: zip.readUInt32LE(at + 16),
    packed: zip.readUInt32LE(at + 20),
    size: zip.readUInt32LE(at + 24),
    local: zip.readUInt32LE(at + 42)
  }
  wide(zip.subarray(nameEnd, extraEnd), entry)
  return { entry, next: extraEnd + zip.readUInt16LE(at + 32) }
}

/** Takes the 64-bit figures of a zip64 extra field for those that read all ones. */
function wide (extra, entry) {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue
    let field = at + 4
    for (const key of ['size', 'packed', 'local']) {
      if (entry[key] !== U32_MAX) continue
      entry[key] = Number(extra.readBigUInt64LE(field))
      field += 8
    }
  }
}

function content (zip, entry) {
  if (zip.readUInt32LE(entry.local) !== LOCAL) throw new Error(`no local header for ${entry.name}`)
  const start = entry.local + 30 + zip.readUInt16LE(entry.local + 26) + zip.readUInt16LE(entry.local + 28)
  const packed = zip.subarray(start, start + entry.packed)
  const bytes = entry.method === 8 ? inflateRawSync(packed) : packed
  if (bytes.length !== entry.size) throw new Error(`${entry.name}: ${bytes.length} bytes, ${entry.size} said`)
  if (crc32(bytes) !== entry.crc) throw new Error(`${entry.name}: CRC does not match`)
  return bytes
}
