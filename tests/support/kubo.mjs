// The real Kubo as a process: a repository of its own, off the public network, on the addresses that a browser dials.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { NET } from './chromium.mjs'
import { within } from './wait.mjs'

const run = promisify(execFile)
const LOG_LINES = 500
/** What a command may say: a file of 64 MiB and more. */
const MAX_OUTPUT = 256 * 1024 * 1024

/** Why there is no Kubo to test with; `false` when there is one. */
export const noKubo = process.env.AVOCET_KUBO === undefined ? 'AVOCET_KUBO does not name the program: left out' : false

/** Addresses of this host that a browser in the same network reaches by WebRTC: Firefox does not dial loopback. */
function hosts () {
  const all = Object.values(networkInterfaces()).flat()
  const own = all.find(found => found.family === 'IPv4' && !found.internal)
  return NET === 'own' && own ? ['127.0.0.1', own.address] : ['127.0.0.1']
}

export class Kubo {
  #process
  /** Its addresses, each with its id at the end. @type {string[]} */
  addrs = []
  id = ''
  /** The last lines that it wrote. @type {string[]} */
  log = []

  constructor (data) {
    this.data = data
  }

  /** @param {{ data: string }} options `data`: a folder for its repository */
  static async start ({ data }) {
    const kubo = new Kubo(data)
    await mkdir(data, { recursive: true })
    await kubo.ipfs('init', '--profile', 'test,announce-off', '--empty-repo')
    await kubo.#configure()
    await kubo.#daemon()
    const { ID, Addresses } = JSON.parse(await kubo.ipfs('id'))
    kubo.id = ID
    kubo.addrs = Addresses
    return kubo
  }

  /** The address of a kind, on loopback unless `elsewhere`. @param {'ws' | 'webrtc-direct'} kind */
  addr (kind, { elsewhere = false } = {}) {
    const found = this.addrs.find(addr => addr.includes(`/${kind}/`) && addr.startsWith('/ip4/127.') !== elsewhere)
    if (found === undefined) throw new Error(`no ${kind} address among ${this.addrs.join(' ')}`)
    return found
  }

  /** A command of the program `ipfs`: what it wrote. */
  async ipfs (...args) {
    return (await this.#run(args, 'utf8')).trim()
  }

  /** `ipfs cat`: the bytes, wherever they come from. */
  async cat (path) {
    return await this.#run(['cat', path], 'buffer')
  }

  /** `ipfs dag export`: a CAR. */
  async exported (cid) {
    return await this.#run(['dag', 'export', '--progress=false', cid], 'buffer')
  }

  /** `ipfs add` of a file on disk: the CID. */
  async add (path, ...options) {
    return await this.ipfs('add', '--quieter', '--progress=false', ...options, path)
  }

  /** The ids of those who are connected. */
  async peers () {
    const lines = await this.ipfs('swarm', 'peers')
    return lines.split('\n').filter(Boolean).map(line => line.slice(line.lastIndexOf('/') + 1))
  }

  async stop () {
    const child = this.#process
    if (child === undefined || child.exitCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGTERM')
    await within('Kubo\'s end', gone, 15_000).catch(() => child.kill('SIGKILL'))
  }

  async #run (args, encoding) {
    const env = { ...process.env, IPFS_PATH: this.data }
    const { stdout } = await run(process.env.AVOCET_KUBO, args, { env, encoding, maxBuffer: MAX_OUTPUT })
    return stdout
  }

  async #configure () {
    const path = `${this.data}/config`
    const config = JSON.parse(await readFile(path, 'utf8'))
    config.Addresses.Swarm = hosts().flatMap(host => [`/ip4/${host}/tcp/0/ws`, `/ip4/${host}/udp/0/webrtc-direct`])
    config.AutoTLS = { Enabled: false }
    config.Bootstrap = []
    config.Routing = { Type: 'none' }
    // It relays for others only where it takes itself for reachable, and answers a reservation with its public
    // addresses alone, of which there must be one.
    config.Swarm.RelayService = { Enabled: true }
    config.Internal.Libp2pForceReachability = 'public'
    config.Addresses.AppendAnnounce = ['/dns4/kubo.example/tcp/443/wss']
    await writeFile(path, JSON.stringify(config))
  }

  async #daemon () {
    const env = { ...process.env, IPFS_PATH: this.data }
    const child = spawn(process.env.AVOCET_KUBO, ['daemon'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#process = child
    const ready = new Promise((resolve, reject) => {
      for (const output of [child.stdout, child.stderr]) {
        createInterface({ input: output }).on('line', line => {
          this.log.push(line)
          if (this.log.length > LOG_LINES) this.log.shift()
          if (line.includes('Daemon is ready')) resolve(undefined)
        })
      }
      child.on('exit', code => reject(new Error(`Kubo ended (${code}):\n${this.log.join('\n')}`)))
    })
    await within('Kubo is ready', ready)
  }
}
