/** Snap7 as a server that is not ours: byte 0 of data block 1 holds 23 (moving up), the word at byte 2 holds 3. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { startForeignServer } from '../../testing/foreign-server.ts'

const PACKAGE = 'node-snap7'
const SCRIPT = fileURLToPath(new URL('snap7-server.mjs', import.meta.url))

/** Whether it can run here: `npm install --no-save --allow-scripts node-snap7` gets it, where there is a compiler. */
export function findSnap7(): boolean {
  const program = `require(${JSON.stringify(PACKAGE)})`
  return spawnSync(process.execPath, ['-e', program], { cwd: fileURLToPath(new URL('.', import.meta.url)), timeout: 20_000 }).status === 0
}

export function startSnap7(): Promise<AsyncDisposable & { readonly port: number }> {
  return startForeignServer('snap7', process.execPath, [SCRIPT, PACKAGE])
}
