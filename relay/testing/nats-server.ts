/** A real nats-server for tests, on a port of its own, that can be killed and started again. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { findFreePort } from '../../scripts/free-port.ts'

export const NO_NATS_SERVER = 'nats-server is not installed (Debian: apt-get install nats-server), so relays cannot be tested together'

export interface NatsServer {
  readonly url: string
  /** As a crash does. */
  kill(): Promise<void>
  /** Again on the same port. */
  restart(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Servers often live outside a user's PATH. */
export function findNatsServer(): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin', '/usr/local/bin']
  return folders.map((folder) => join(folder, 'nats-server')).find(isExecutable)
}

/** Rejects where there is none. @param token what it wants from those who connect. */
export async function startNatsServer({ token }: { readonly token?: string } = {}): Promise<NatsServer> {
  const program = findNatsServer()
  if (program === undefined) throw new Error(NO_NATS_SERVER)
  const port = await findFreePort()
  const start = async (): Promise<ChildProcess> => {
    const auth = token === undefined ? [] : ['--auth', token]
    const started = spawn(program, ['-a', '127.0.0.1', '-p', String(port), ...auth], { stdio: 'ignore' })
    await untilItListens(port, started)
    return started
  }
  const kill = async (child: ChildProcess): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  let child = await start()
  return {
    url: `nats://127.0.0.1:${String(port)}`,
    kill: () => kill(child),
    async restart() {
      await kill(child)
      child = await start()
    },
    [Symbol.asyncDispose]: () => kill(child),
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Bounded by the test's own timeout. */
async function untilItListens(port: number, child: ChildProcess): Promise<void> {
  while (!(await accepts(connect({ host: '127.0.0.1', port })))) {
    if (child.exitCode !== null) throw new Error(`nats-server ended with ${String(child.exitCode)}.`)
    await pause(20)
  }
}

async function accepts(socket: Socket): Promise<boolean> {
  const isAccepted = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
  })
  socket.destroy()
  return isAccepted
}
