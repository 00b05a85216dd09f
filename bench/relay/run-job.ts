/** Gives a job to a load generator of its own, on the second core where there are two. */
import { join } from 'node:path'
import { Check } from 'typebox/value'
import { JobResult, type Job } from './job.ts'
import { NODE_ARGUMENTS, ROOT, spawnPinned, stopChild } from './server-process.ts'

/** Far more than any job takes. */
const JOB_MS = 180_000

/** Never rejects: a load generator that dies is a failed job. */
export async function runJob(job: Job): Promise<JobResult> {
  const program = join(ROOT, 'bench/relay/load-generator.ts')
  const child = spawnPinned(1, [process.execPath, ...NODE_ARGUMENTS, program], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  try {
    return await new Promise<JobResult>((resolve) => {
      const fail = (problem: string): void => resolve({ ok: false, problem })
      const timer = setTimeout(() => fail('The load generator took too long.'), JOB_MS)
      timer.unref()
      child.once('error', (error) => fail(error.message))
      child.once('exit', (code) => fail(`The load generator ended with ${String(code)}.`))
      child.once('message', (message: unknown) =>
        Check(JobResult, message) ? resolve(message) : fail('The load generator made no sense.'),
      )
      child.send(job)
    })
  } finally {
    await stopChild(child)
  }
}
