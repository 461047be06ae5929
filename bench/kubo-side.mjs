// Kubo as one end of a transfer: files of its own to give, and its reading of what a tab gives.
import { readFile, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { once } from 'node:events'
import { join } from 'node:path'
import { randomFile } from '../tests/support/files.mjs'
import { Kubo } from '../tests/support/kubo.mjs'

export class KuboSide {
  #files = 0

  static async start (stand, size, name = 'kubo') {
    const side = new KuboSide()
    side.folder = stand.folder
    side.name = name
    side.size = size
    side.kubo = await Kubo.start({ data: join(stand.folder, name) })
    stand.closing(() => side.kubo.stop())
    side.addr = side.kubo.addr('ws')
    const [, host, , port] = (await readFile(join(side.kubo.data, 'api'), 'utf8')).trim().slice(1).split('/')
    side.api = { host, port, method: 'POST' }
    return side
  }

  /** A file that no round had, in its repository: the CID. */
  async add () {
    const seed = `${this.folder} ${this.name} ${++this.#files}`
    const { path } = await randomFile(this.folder, `${this.name}-${this.#files}.bin`, this.size, seed)
    const cid = await this.kubo.add(path, '--cid-version=1')
    await rm(path)
    return cid
  }

  /** ms until all of `cid` has come out of it, through its RPC: no process is started for it. */
  async read (cid) {
    const began = performance.now()
    const asked = request({ ...this.api, path: `/api/v0/cat?arg=${cid}` }).end()
    const [answer] = await once(asked, 'response')
    let read = 0
    for await (const piece of answer) read += piece.length
    const ms = performance.now() - began
    if (read !== this.size) throw new Error(`Kubo read ${read} of ${this.size} bytes`)
    return ms
  }
}
