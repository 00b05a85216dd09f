/** Snap7 as a server that is not ours: byte 0 of data block 1 holds 23 (moving up), the word at byte 2 holds 3. */
import { spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const PACKAGE = 'node-snap7'
const SCRIPT = fileURLToPath(new URL('snap7-server.mjs', import.meta.url))

/** Whether it can run here: `npm install --no-save --allow-scripts node-snap7` gets it, where there is a compiler. */
export function findSnap7(): boolean {
  const program = `require(${JSON.stringify(PACKAGE)})`
  return spawnSync(process.execPath, ['-e', program], { cwd: fileURLToPath(new URL('.', import.meta.url)), timeout: 20_000 }).status === 0
}

export async function startSnap7(): Promise<AsyncDisposable & { readonly port: number }> {
  const child = spawn(process.execPath, [SCRIPT, PACKAGE], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = new Promise<void>((resolve) => child.on('exit', () => resolve()))
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout.on('data', (bytes: Buffer) => resolve(Number(bytes.toString('utf8').trim())))
    child.on('exit', (code) => reject(new Error(`snap7 ended with ${String(code)}`)))
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
