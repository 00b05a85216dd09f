/** Starts a server as a process of its own, on the first core where there are two, with room for many connections; and ends it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { connect } from 'node:net'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { findFreePort } from '../../scripts/free-port.ts'
import type { RunningServer } from './contestant.ts'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** Loads TypeScript in the process itself: the one that is measured is the one that works. */
export const NODE_ARGUMENTS = ['--import', 'tsx']
/** The same, and SIGUSR2 collects the garbage, so that memory can be compared. */
export const SERVER_ARGUMENTS = [...NODE_ARGUMENTS, '--expose-gc', '--import', './bench/relay/servers/collect-garbage.ts']
const START_MS = 30_000
const STOP_MS = 5_000
const POLL_MS = 50
const OPEN_FILES = 65_536

interface Command {
  readonly command: string
  readonly commandArguments: readonly string[]
  readonly port: number
  readonly environment?: Readonly<Record<string, string>>
  readonly collectsOnSignal?: boolean
}

/** A program of `servers/` that listens on the port it is given. */
export async function startNodeServer(
  nodeArguments: readonly string[],
  file: string,
  programArguments: readonly string[] = [],
): Promise<RunningServer> {
  const port = await findFreePort()
  const program = join(ROOT, 'bench/relay/servers', file)
  return startServer({
    command: process.execPath,
    commandArguments: [...SERVER_ARGUMENTS, ...nodeArguments, program, String(port), ...programArguments],
    port,
    collectsOnSignal: true,
  })
}

/** Resolves when the port answers; rejects when the process ends first. */
export async function startServer({
  command,
  commandArguments,
  port,
  environment = {},
  collectsOnSignal = false,
}: Command): Promise<RunningServer> {
  const child = spawnPinned(0, [command, ...commandArguments], {
    environment,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let complaints = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    complaints = `${complaints}${chunk.toString('utf8')}`.slice(-4_000)
  })
  await waitForPort(port, () => {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${command} ended: ${complaints}`)
  })
  return { pid: child.pid ?? 0, collectsOnSignal, access: { port, token: '' }, stop: () => stopChild(child) }
}

interface SpawnOptions {
  readonly environment?: Readonly<Record<string, string>>
  readonly stdio: readonly ('ignore' | 'inherit' | 'pipe' | 'ipc')[]
}

/** The shell replaces itself by the program, so the child's pid is the program's. */
export function spawnPinned(core: 0 | 1, words: readonly string[], { environment = {}, stdio }: SpawnOptions): ChildProcess {
  const pinned = canPin() ? ['taskset', '-c', String(core), ...words] : words
  const script = `ulimit -n ${String(OPEN_FILES)} 2>/dev/null || ulimit -n $(ulimit -Hn); exec "$@"`
  return spawn('sh', ['-c', script, 'sh', ...pinned], { cwd: ROOT, env: { ...process.env, ...environment }, stdio: [...stdio] })
}

export function canPin(): boolean {
  return availableParallelism() >= 2 && findProgram('taskset') !== undefined
}

/** @returns the path of an installed program; servers often live outside a user's PATH. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin']
  return folders.map((folder) => join(folder, name)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

async function waitForPort(port: number, check: () => void): Promise<void> {
  for (let waitedMs = 0; waitedMs < START_MS; waitedMs += POLL_MS) {
    if (await answers(port)) return
    check()
    await sleep(POLL_MS)
  }
  throw new Error(`Nobody listens on port ${String(port)} after ${String(START_MS)} ms.`)
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await ended
  clearTimeout(timer)
}
