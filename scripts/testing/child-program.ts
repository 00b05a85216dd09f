/** A program under test as a child process: its lines as they come, and how it ended. Ends with the block that opened it. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

export interface ChildProgram extends AsyncDisposable {
  /** The next line of standard output that comes from now on or waits already; rejects when the program ends before. */
  nextLine(): Promise<string>
  /** The next such line of standard error. */
  nextErrorLine(): Promise<string>
  signal(name: NodeJS.Signals): void
  /** Exit status; null when a signal ended it. */
  readonly ended: Promise<number | null>
}

export function openProgram(command: string, words: readonly string[]): ChildProgram {
  const child = spawn(command, [...words], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1' } })
  const output = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const errors = createInterface({ input: child.stderr })[Symbol.asyncIterator]()
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  return {
    nextLine: () => take(output),
    nextErrorLine: () => take(errors),
    signal: (name) => void child.kill(name),
    ended,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

async function take(lines: AsyncIterator<string>): Promise<string> {
  const next = await lines.next()
  if (next.done === true) throw new Error('the program ended')
  return next.value
}
