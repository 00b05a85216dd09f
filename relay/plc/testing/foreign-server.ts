/** A PLC server that is not ours, in a process of its own that prints its port on the first line. */
import { spawn } from 'node:child_process'

/** @param name in the error when it ends before it has a port. Rejects then. */
export async function startForeignServer(
  name: string,
  program: string,
  args: readonly string[],
): Promise<AsyncDisposable & { readonly port: number }> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = new Promise<void>((resolve) => child.on('exit', () => resolve()))
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout.on('data', (bytes: Buffer) => resolve(Number(bytes.toString('utf8').trim())))
    child.on('exit', (code) => reject(new Error(`${name} ended with ${String(code)}`)))
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
