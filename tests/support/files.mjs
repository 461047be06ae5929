// Files to move: seeded, so that a failure can be repeated, and hashed while they are written.
import { createCipheriv, createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'

export const MB = 1_000_000
export const MIB = 1024 * 1024

const STEP = MIB

/** An endless stream of bytes that only the seed decides, in pieces: call it with a length. */
export function randomBytes (seed) {
  const key = createHash('sha256').update(`avocet test ${seed}`).digest().subarray(0, 16)
  const cipher = createCipheriv('aes-128-ctr', key, Buffer.alloc(16))
  return length => cipher.update(Buffer.alloc(length))
}

/**
 * Writes `size` random bytes to `folder/name`.
 * @returns {Promise<{ path: string, name: string, size: number, sha256: string }>}
 */
export async function randomFile (folder, name, size, seed = name) {
  const path = join(folder, name)
  await mkdir(dirname(path), { recursive: true })
  const next = randomBytes(seed)
  const hash = createHash('sha256')
  const file = await open(path, 'w')
  try {
    for (let done = 0; done < size; done += STEP) {
      const piece = next(Math.min(STEP, size - done))
      hash.update(piece)
      await file.write(piece)
    }
  } finally {
    await file.close()
  }
  return { path, name, size, sha256: hash.digest('hex') }
}

/** Writes what `entries` says (path to bytes or text) below `folder`. */
export async function writeTree (folder, entries) {
  for (const [path, content] of entries) {
    const target = join(folder, path)
    await mkdir(dirname(target), { recursive: true })
    await writeFile(target, content)
  }
}

/** SHA-256 of a file on disk as hex, by stream. */
export async function sha256File (path) {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

export function sha256 (bytes) {
  return createHash('sha256').update(bytes).digest('hex')
}
