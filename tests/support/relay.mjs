// The real relay as a process: its own data folder, free ports, and back on them after a restart.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { DIST, relayBinary } from './paths.mjs'
import { within } from './wait.mjs'

/** How many of its last log lines are kept for a failure's report. */
const LOG_LINES = 2000

export class Relay {
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #process
  #options
  /** Where the page is, and the relay's address: as its line says. */
  page = ''
  relay = ''
  /** The last lines that it wrote to stderr. @type {string[]} */
  log = []

  constructor (options) {
    this.#options = { binary: relayBinary(), host: '127.0.0.1', port: 0, wsPort: 0, www: DIST, args: [], ...options }
  }

  /**
   * @param {{ data: string, binary?: string, host?: string, port?: number, wsPort?: number, www?: string, args?: string[] }} options
   *   `binary` may be a launcher that ends up as the relay
   */
  static async start (options) {
    const relay = new Relay(options)
    await relay.start()
    return relay
  }

  async start () {
    const { binary, host, port, wsPort, www, data, args } = this.#options
    if (!existsSync(binary)) throw new Error(`no relay at ${binary}: build it, or set AVOCET_RELAY_BIN`)
    const child = spawn(binary, [
      '--host', host, '--port', String(port), '--ws-port', String(wsPort), '--www', www, '--data', data, ...args
    ], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#process = child
    createInterface({ input: child.stderr }).on('line', line => this.#keep(line))
    const line = await within('the relay\'s line', this.#firstLine(child))
    const ready = JSON.parse(line)
    this.page = ready.page
    this.relay = ready.relay
    this.#options.port = Number(new URL(ready.page).port || 80)
    this.#options.wsPort = Number(/\/tcp\/(\d+)\//.exec(ready.relay)[1])
  }

  get peerId () {
    return /\/p2p\/(\w+)$/.exec(this.relay)[1]
  }

  /** Ends it as an administrator would. @returns {Promise<number | null>} its exit code */
  async stop (signal = 'SIGTERM') {
    const child = this.#process
    if (child === undefined) return null
    this.#process = undefined
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
    const gone = once(child, 'exit')
    child.kill(signal)
    const [code] = await within('the relay\'s end', gone, 15_000).catch(error => {
      child.kill('SIGKILL')
      throw error
    })
    return code
  }

  /** The same relay again: same key, same ports. */
  async restart () {
    const before = this.relay
    await this.stop()
    await this.start()
    if (this.relay !== before) throw new Error(`the relay came back as ${this.relay}, it was ${before}`)
  }

  async #firstLine (child) {
    const lines = createInterface({ input: child.stdout })
    const exit = once(child, 'exit').then(([code, signal]) => {
      throw new Error(`the relay ended (${code ?? signal}) before it was ready:\n${this.log.join('\n')}`)
    })
    exit.catch(() => {})
    return await Promise.race([once(lines, 'line').then(([line]) => line), exit])
  }

  #keep (line) {
    this.log.push(line)
    if (this.log.length > LOG_LINES) this.log.shift()
  }
}
