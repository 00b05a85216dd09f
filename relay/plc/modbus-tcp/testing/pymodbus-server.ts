/** Debian's python3-pymodbus as a server that is not ours: holding registers 10, 11 hold 3.0 with the low word first, coil 4 is set, bit 2 of 14 too. */
import { spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const PYTHON = '/usr/bin/python3'
const SCRIPT = fileURLToPath(new URL('pymodbus_server.py', import.meta.url))

/** Whether it can run here: `apt-get install python3-pymodbus` gets it. */
export function findPymodbus(): boolean {
  return spawnSync(PYTHON, ['-c', 'import pymodbus'], { timeout: 20_000 }).status === 0
}

export async function startPymodbus(): Promise<AsyncDisposable & { readonly port: number }> {
  const child = spawn(PYTHON, [SCRIPT], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = new Promise<void>((resolve) => child.on('exit', () => resolve()))
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout.on('data', (bytes: Buffer) => resolve(Number(bytes.toString('utf8').trim())))
    child.on('exit', (code) => reject(new Error(`pymodbus ended with ${String(code)}`)))
    child.on('error', reject)
  })
  return {
    port,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exited
    },
  }
}
