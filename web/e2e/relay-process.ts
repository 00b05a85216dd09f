/** The real relay in a process of its own, as a test needs it: started on a free port, stopped, killed, started again on the same port. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { findFreePort } from '../../scripts/free-port.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const START_LIMIT_MS = 30_000
const STOP_LIMIT_MS = 10_000

export interface RelayProcess {
  /** As `http://127.0.0.1:40123`. */
  readonly origin: string
  readonly port: number
  /** Of the process that serves. */
  readonly pid: number
  /** Asks it to stop and waits for the end. Twice is harmless. @returns the exit code. */
  stop(): Promise<number | null>
  /** Ends it without warning. */
  kill(): Promise<void>
}

export interface RelayProcessOptions {
  /** By default a free one. */
  readonly port?: number
  readonly environment?: Readonly<Record<string, string>>
}

/** Resolves once the relay has printed its address; rejects with what it printed when it ends before. */
export async function startRelayProcess(options: RelayProcessOptions = {}): Promise<RelayProcess> {
  // Not PORT=0: the system lets a port it has chosen for a listener rest for a minute before it is used again.
  const wantedPort = options.port ?? (await findFreePort())
  const child = spawn(process.execPath, ['--import', 'tsx', 'relay/main.ts'], {
    cwd: ROOT,
    env: { ...process.env, HOST: '127.0.0.1', STATIC_DIR: 'dist', ...options.environment, PORT: String(wantedPort) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const port = await readPort(child)
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    pid: child.pid ?? 0,
    stop: () => end(child, 'SIGTERM'),
    async kill() {
      await end(child, 'SIGKILL')
    },
  }
}

function readPort(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let output = ''
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`The relay printed no address in time: ${output}`))
    }, START_LIMIT_MS)
    const onData = (chunk: Buffer): void => {
      output += chunk.toString('utf8')
      const match = /https?:\/\/[^\s:]+:(\d+)\//.exec(output)
      if (match === null) return
      clearTimeout(timer)
      resolve(Number(match[1]))
    }
    child.stdout?.on('data', onData)
    child.stderr?.on('data', onData)
    child.once('exit', (code) => {
      clearTimeout(timer)
      reject(new Error(`The relay ended with ${String(code)}: ${output}`))
    })
  })
}

async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  const exited = once(child, 'exit')
  child.kill(signal)
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS)
  await exited
  clearTimeout(timer)
  return child.exitCode
}
