// Cargo's runner for wasm tests: `node xtask/browser-runner.mjs <file.wasm> [test arguments]`.
//
// wasm-bindgen-test-runner makes a page of the tests and serves it; this opens the page in a real browser with a
// profile on disk (a private window's IndexedDB would behave otherwise) and reads what it writes. So no WebDriver
// has to be installed. Which browser: AVOCET_BROWSER (chromium or firefox), its binary: CHROMIUM or FIREFOX.
//
// A relay runs beside the tests; they find its address in `globalThis.AVOCET_TEST_RELAY`.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import puppeteer from 'puppeteer-core'

/** A suite that takes longer hangs. */
const LIMIT_MS = 5 * 60_000
/** How often the page is read. */
const READ_EVERY_MS = 200
/** The line that ends a suite, as the test harness writes it. */
const RESULT = /^test result: (ok|FAILED)\./m

/** Without a network of its own, Chromium must be told to use loopback for WebRTC: by a flag and a camera's permission. */
const LOOPBACK = process.env.AVOCET_NET !== 'own'

const browserName = process.env.AVOCET_BROWSER ?? 'chromium'
const folder = await mkdtemp(join(tmpdir(), 'avocet-wasm-'))
const cleanUp = [() => rm(folder, { recursive: true, force: true, maxRetries: 5 })]
let passed = false
try {
  passed = await run()
} catch (error) {
  console.error(String(error?.stack ?? error))
} finally {
  for (const step of cleanUp.reverse()) await Promise.resolve(step()).catch(error => console.error(error))
}
process.exit(passed ? 0 : 1)

async function run () {
  const address = `127.0.0.1:${await freePort()}`
  const server = spawn(process.env.WASM_TEST_RUNNER ?? 'wasm-bindgen-test-runner', process.argv.slice(2), {
    env: { ...process.env, NO_HEADLESS: '1', WASM_BINDGEN_TEST_ADDRESS: address },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const ended = once(server, 'exit')
  cleanUp.push(() => server.kill('SIGKILL'))
  const said = []
  createInterface({ input: server.stdout }).on('line', line => said.push(line))

  // A suite without browser tests runs, or says that it is empty, and ends without a page.
  const first = await Promise.race([listening(address), ended.then(([code]) => ({ code }))])
  if (first !== undefined) {
    console.log(said.join('\n'))
    return first.code === 0
  }

  const relay = await startRelay()
  const browser = await open()
  cleanUp.push(() => browser.close())
  const page = await browser.newPage()
  page.on('pageerror', error => console.error(`[${browserName}] ${error.stack ?? error}`))
  page.on('error', error => console.error(`[${browserName}] ${error}`))
  if (relay !== undefined) {
    await page.evaluateOnNewDocument(text => { globalThis.AVOCET_TEST_RELAY = text }, relay)
  }
  if (LOOPBACK && browserName === 'chromium') {
    await browser.defaultBrowserContext().overridePermissions(`http://${address}`, ['camera', 'microphone'])
  }
  await page.goto(`http://${address}/`)
  return await follow(page)
}

/** Prints what the page writes as it comes; true when the suite passed. */
async function follow (page) {
  const end = Date.now() + LIMIT_MS
  let printed = 0
  while (Date.now() < end) {
    const text = await page.evaluate(() => document.getElementById('output')?.textContent ?? '')
    const result = RESULT.exec(text)
    // The part before the suite begins is replaced, all after is appended to.
    if (/^running \d+ test/m.test(text) || result !== null) {
      const whole = result === null ? text.slice(0, text.lastIndexOf('\n') + 1) : text
      process.stdout.write(whole.slice(printed))
      printed = Math.max(printed, whole.length)
    }
    if (result !== null) {
      if (!text.endsWith('\n')) console.log()
      return result[1] === 'ok'
    }
    await sleep(READ_EVERY_MS)
  }
  console.error(`[${browserName}] no result after ${LIMIT_MS / 1000} s; the page shows:`)
  console.error(await page.evaluate(() => document.body.innerText))
  return false
}

async function open () {
  if (browserName === 'firefox') {
    return await puppeteer.launch({
      browser: 'firefox',
      executablePath: process.env.FIREFOX,
      headless: true,
      userDataDir: join(folder, 'profile'),
      protocolTimeout: LIMIT_MS
    })
  }
  return await puppeteer.launch({
    executablePath: process.env.CHROMIUM,
    headless: true,
    userDataDir: join(folder, 'profile'),
    protocolTimeout: LIMIT_MS,
    args: [
      // Root has no sandbox.
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      ...(LOOPBACK ? ['--allow-loopback-in-peer-connection'] : [])
    ]
  })
}

/** A relay on free ports; its address, or undefined where none was built. */
async function startRelay () {
  const binary = process.env.AVOCET_RELAY_BIN
  if (binary === undefined) return undefined
  const args = ['--port', '0', '--ws-port', '0', '--data', join(folder, 'relay')]
  const relay = spawn(binary, args, {
    env: { ...process.env, RUST_LOG: 'warn' }, stdio: ['ignore', 'pipe', 'inherit']
  })
  cleanUp.push(() => relay.kill('SIGTERM'))
  const gone = once(relay, 'exit').then(([code]) => { throw new Error(`the relay ended with ${code}`) })
  gone.catch(() => {})
  const [line] = await Promise.race([once(createInterface({ input: relay.stdout }), 'line'), gone])
  return JSON.parse(line).relay
}

/** Resolves once something answers at `address`. */
async function listening (address) {
  for (;;) {
    try {
      await fetch(`http://${address}/`)
      return undefined
    } catch {
      await sleep(50)
    }
  }
}

async function freePort () {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}
