/** Programs of the system that tests need: finds them, or installs the distribution's package where that is possible. */
import { execFileSync, spawnSync } from 'node:child_process'

/** A download or an installation that takes longer is given up. */
const INSTALL_TIMEOUT_MS = 240_000
/** Where servers are installed, which a user's PATH often leaves out. */
const SERVER_FOLDERS = '/usr/sbin:/usr/local/sbin'

/** @returns where it is, undefined when it is not installed. */
export function findProgram(name: string): string | undefined {
  if (process.platform === 'win32') return undefined
  const environment = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:${SERVER_FOLDERS}` }
  try {
    return execFileSync('/bin/sh', ['-c', `command -v ${name}`], { encoding: 'utf8', env: environment }).trim() || undefined
  } catch {
    return undefined
  }
}

/** Does nothing where this is no Debian or the user is not root. */
export function installPackage(name: string): void {
  if (process.getuid?.() !== 0 || findProgram('apt-get') === undefined) return
  attempt('apt-get', ['update', '-qq'])
  attempt('apt-get', ['install', '-y', '-qq', '--no-install-recommends', name])
}

/** Whether it worked is seen by looking for what it should have brought. */
export function attempt(program: string, args: readonly string[]): void {
  spawnSync(program, args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: INSTALL_TIMEOUT_MS,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  })
}
