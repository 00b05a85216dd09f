/** Debian's python3-pymodbus as a server that is not ours: holding registers 10, 11 hold 3.0 with the low word first, coil 4 is set, bit 2 of 14 too. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { startForeignServer } from '../../testing/foreign-server.ts'

const PYTHON = '/usr/bin/python3'
const SCRIPT = fileURLToPath(new URL('pymodbus_server.py', import.meta.url))

/** Whether it can run here: `apt-get install python3-pymodbus` gets it. */
export function findPymodbus(): boolean {
  return spawnSync(PYTHON, ['-c', 'import pymodbus'], { timeout: 20_000 }).status === 0
}

export function startPymodbus(): Promise<AsyncDisposable & { readonly port: number }> {
  return startForeignServer('pymodbus', PYTHON, [SCRIPT])
}
