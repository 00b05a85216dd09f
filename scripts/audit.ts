/**
 * `npm run audit -- verify FILE` reads an audit log from its first line to its last and names the first that was changed, taken out or put in.
 * Ends with 0 when the chain is whole, 1 when it is broken, 2 when it was called wrongly.
 */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { verifyAudit } from '../relay/storage/audit-verify.ts'

const USAGE = `Usage: npm run audit -- verify FILE

FILE is what AUDIT_FILE names. What was cut off at its end shows only in the number of lines and the last hash:
compare them with what the relay logged (event "audit.opened") or with what this command printed before.
`

const [verb, file, ...others] = process.argv.slice(2)
if (verb !== 'verify' || file === undefined || others.length > 0) {
  process.stderr.write(USAGE)
  process.exitCode = 2
} else await verify(file)

async function verify(path: string): Promise<void> {
  try {
    const lines = createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: 0 })
    const verdict = await verifyAudit(lines)
    if (verdict.ok) {
      const torn = verdict.torn.map((line) => `Line ${String(line)} was torn off by a power failure; the line after it says so.\n`)
      process.stdout.write(
        `${torn.join('')}The chain is whole: ${String(verdict.head.count)} entries, the last hash is ${verdict.head.hash}.\n`,
      )
      return
    }
    process.stdout.write(
      `Line ${String(verdict.line)} ${verdict.why}. Everything before it is whole (${String(verdict.head.count)} entries).\n`,
    )
    process.exitCode = 1
  } catch (error) {
    process.stderr.write(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 2
  }
}
