// Several hosts on this machine, each a network namespace, what each sends held to a rate: a real network between
// real browsers. `xtask/net/hosts` makes them.
import { execFileSync } from 'node:child_process'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from './paths.mjs'

const SCRIPT = join(ROOT, 'xtask', 'net', 'hosts')

/** The hub's address; host `i` is at 10.99.0.i. */
export const HUB = '10.99.0.254'

/** Why this machine cannot have hosts, or false. */
export function withoutHosts () {
  if (process.getuid?.() !== 0) return 'hosts of their own want root'
  const name = `avocet-try-${process.pid}`
  try {
    run('up', name, '1', '8mbit')
    return false
  } catch (error) {
    const said = String(error.stderr ?? error).trim().split('\n').at(-1)
    return `hosts of their own want ip and tc, and veth, bridge and tbf in the kernel: ${said}`
  } finally {
    try {
      run('down', name)
    } catch {
      // Without ip there is nothing to remove.
    }
  }
}

export class Hosts {
  #name
  #folder

  constructor (name, folder) {
    this.#name = name
    this.#folder = folder
  }

  /**
   * @param {{ count: number, rate: string, folder: string }} options `rate` as tc writes it; launchers go into `folder`
   */
  static async up ({ count, rate, folder }) {
    const hosts = new Hosts(`avocet-${process.pid}`, folder)
    await mkdir(folder, { recursive: true })
    hosts.down()
    try {
      run('up', hosts.#name, String(count), rate)
    } catch (error) {
      hosts.down()
      throw error
    }
    return hosts
  }

  /** A program that is `program` run on a host; 0 is the hub. */
  async launcher (host, program) {
    const path = join(this.#folder, `on-${host}-${program.replace(/.*\//, '')}`)
    await writeFile(path, `#!/bin/sh\nexec '${SCRIPT}' exec ${this.#name} ${host} '${program}' "$@"\n`)
    await chmod(path, 0o755)
    return path
  }

  /** Takes a host off the network: nothing that it sends or is sent arrives. */
  cut (host) {
    run('cut', this.#name, String(host))
  }

  /** Puts it back. */
  mend (host) {
    run('mend', this.#name, String(host))
  }

  /** Removes all, and ends what still runs there. */
  down () {
    run('down', this.#name)
  }
}

function run (...args) {
  execFileSync(SCRIPT, args, { stdio: ['ignore', 'ignore', 'pipe'] })
}
