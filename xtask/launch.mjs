// The way from `npm start` to `cargo xtask start`: looks for Rust first, and says what to install
// where it is missing. Everything else is done by xtask.
import { spawn, spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { homedir } from 'node:os'
import { existsSync } from 'node:fs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 9)) {
  stop(`Node ${process.versions.node} is too old: Avocet wants 20.9 or newer.\n  https://nodejs.org/`)
}

const cargo = find('cargo')
if (!cargo) {
  stop(
    'Rust is missing (no `cargo` on the PATH, none in ~/.cargo/bin).\n' +
      'Install it with rustup, open a new terminal and run this again:\n' +
      "  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh\n" +
      '  on Windows: https://rustup.rs/'
  )
}

const child = spawn(cargo, ['xtask', ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, PATH: withCargo(process.env.PATH ?? '') },
})
// Ctrl-C reaches the whole group by itself; SIGTERM is for the launcher alone and is handed on.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => child.kill('SIGTERM'))
// npm told to end takes its shell with it, and that tells nobody: then our parent is another one.
const parent = process.ppid
setInterval(() => { if (process.ppid !== parent) child.kill('SIGTERM') }, 500).unref()
child.on('error', (error) => stop(`cannot run ${cargo}: ${error.message}`))
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)))

/** The command as it is to be called, or undefined where neither the PATH nor rustup's folder has it. */
function find(name) {
  if (spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0) return name
  const installed = join(cargoBin(), process.platform === 'win32' ? `${name}.exe` : name)
  return existsSync(installed) ? installed : undefined
}

function cargoBin() {
  return join(process.env.CARGO_HOME ?? join(homedir(), '.cargo'), 'bin')
}

/** rustup's folder last, so that what the user chose on the PATH comes first. */
function withCargo(path) {
  return path + (process.platform === 'win32' ? ';' : ':') + cargoBin()
}

function stop(message) {
  console.error(message)
  process.exit(1)
}
