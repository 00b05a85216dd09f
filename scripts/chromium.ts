/**
 * Finds a Chromium for the browser tests and the pictures, or gets one: the one named in CHROMIUM_PATH, the system's, Playwright's
 * own download, the system's package manager. What is done with the browser is left to the callers.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { attempt, findProgram, installPackage } from './system-program.ts'

const SYSTEM_NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'chrome']
const SYSTEM_PATHS = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
]
const PROBE_TIMEOUT_MS = 30_000

export const NO_CHROMIUM =
  'No Chromium was found and none could be downloaded; install Chromium or Chrome, or name its program in CHROMIUM_PATH, and try again.'

/**
 * Where a Chromium that starts is.
 * @param say gets a line before anything that takes long.
 * @returns undefined when there is none and none can be had.
 */
export async function obtainChromium(say: (line: string) => void): Promise<string | undefined> {
  const named = process.env['CHROMIUM_PATH']
  if (named) return starts(named) ? named : undefined
  const found = await findChromium()
  if (found !== undefined) return found
  say('no Chromium here; downloading the one Playwright brings')
  attempt(process.execPath, ['node_modules/@playwright/test/cli.js', 'install', '--no-shell', 'chromium'])
  const downloaded = await findChromium()
  if (downloaded !== undefined) return downloaded
  if (process.getuid?.() !== 0 || findProgram('apt-get') === undefined) return undefined
  say('that did not work; installing the system package')
  installPackage('chromium')
  return findChromium()
}

/** The first that is there already and starts. */
async function findChromium(): Promise<string | undefined> {
  const { chromium } = await import('@playwright/test')
  const candidates = [...SYSTEM_NAMES.map(findProgram), ...SYSTEM_PATHS, chromium.executablePath()]
  return candidates.find((path) => path !== undefined && existsSync(path) && starts(path))
}

/** A file alone proves little: a snap stub or a missing library only shows when it runs. */
function starts(path: string): boolean {
  const { status } = spawnSync(path, ['--version'], { timeout: PROBE_TIMEOUT_MS, stdio: 'ignore', cwd: homedir() })
  return status === 0
}
