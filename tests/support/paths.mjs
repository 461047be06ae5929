// Where the parts under test lie.
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** The built page and the built package: another build, or an unpacked tarball, can be put in their places. */
export const DIST = process.env.AVOCET_DIST ?? join(ROOT, 'dist')
export const PACKAGE = process.env.AVOCET_PACKAGE ?? join(ROOT, 'js')
export const OUT = join(ROOT, 'tests', 'out')

/** The relay's binary: what `AVOCET_RELAY_BIN` says, else where the build leaves it. */
export function relayBinary () {
  return process.env.AVOCET_RELAY_BIN ?? join(ROOT, 'target', 'native', 'avocet-relay')
}

/** Chromium's binary: `CHROMIUM`, else the first of the usual names on the path; undefined leaves it to Playwright. */
export function chromiumBinary () {
  return process.env.CHROMIUM ?? onPath(['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'])
}

/** Firefox' binary: `FIREFOX`, else the first of the usual names on the path. */
export function firefoxBinary () {
  return process.env.FIREFOX ?? onPath(['firefox-esr', 'firefox'])
}

function onPath (names) {
  const folders = (process.env.PATH ?? '').split(delimiter)
  for (const name of names) {
    for (const folder of folders) {
      const file = join(folder, name)
      if (folder !== '' && existsSync(file)) return file
    }
  }
  return undefined
}
