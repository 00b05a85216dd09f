import { execFile } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { createKeptLog } from '#shared/testing/kept-log'
import type { AuditEntry, AuditLog } from '../ports.ts'
import { createAuditFile } from './audit-file.ts'
import { verifyAudit } from './audit-verify.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'semblante-audit-'))
afterAll(() => rmSync(FOLDER, { recursive: true }))
let files = 0
const newFile = (): string => join(FOLDER, `audit-${String((files += 1))}.jsonl`)

const entry = (command: string, state: AuditEntry['state'] = 'accepted'): AuditEntry => ({
  ...{ time: 1_700_000_000_000, machine: 'one', command, name: 'move', argument: 3, code: 1, by: 'ana', from: 'peer/1', state },
  before: { quality: 'good', position: 1, isMoving: false, mode: 'remote', hasAlarm: false, isEmergencyStopped: false },
})
async function openLog(file: string): Promise<{ audit: AuditLog; unfinished: readonly string[] }> {
  const audit = createAuditFile({ file, log: createKeptLog() })
  const opened = await audit.open()
  if (!opened.ok) throw new Error(opened.problem)
  return { audit, unfinished: opened.unfinished.map(({ command }) => command) }
}
async function write(file: string, ...entries: readonly AuditEntry[]): Promise<void> {
  const { audit } = await openLog(file)
  expect(await Promise.all(entries.map((one) => audit.append(one)))).toEqual(entries.map(() => true))
  await audit.close()
}
const linesOf = (file: string): string[] => readFileSync(file, 'utf8').split('\n').slice(0, -1)
const verify = (file: string): ReturnType<typeof verifyAudit> => verifyAudit(linesOf(file))

describe('the audit file', () => {
  it('[MA1] keeps who, what, when, from where, before and after, one JSON object a line, in order', async () => {
    const file = newFile()
    const after = { quality: 'good', position: 3, isMoving: false, mode: 'remote', hasAlarm: false, isEmergencyStopped: false } as const
    await write(file, entry('c1'), entry('c2', 'refused'), { ...entry('c1', 'done'), after })
    const values = linesOf(file).map((line): unknown => JSON.parse(line))
    expect(values).toMatchObject([
      { n: 1, ...entry('c1') },
      { n: 2, command: 'c2', state: 'refused' },
      { n: 3, state: 'done', after },
    ])
    expect(values[0]).toMatchObject({ at: '2023-11-14T22:13:20.000Z' })
    expect(statSync(file).mode & 0o007).toBe(0)
  })
  it('[MA2] goes on with the chain when it is opened again', async () => {
    const file = newFile()
    await write(file, entry('c1'))
    await write(file, entry('c2'), entry('c3'))
    expect(await verify(file)).toMatchObject({ ok: true, head: { count: 3 }, torn: [] })
  })
  it('[MA3] any line that is changed, taken out or put in is found, and the first one named', async () => {
    const file = newFile()
    await write(file, ...Array.from({ length: 8 }, (_, index) => entry(`c${String(index)}`)))
    const lines = linesOf(file)
    await fc.assert(
      fc.asyncProperty(fc.nat(6), fc.nat(400), fc.constantFrom('change', 'remove', 'repeat', 'swap'), async (index, place, deed) => {
        const spoilt = [...lines]
        const line = spoilt[index] ?? ''
        const at = place % line.length
        const letter = line[at] === '7' ? '8' : '7'
        if (deed === 'change') spoilt[index] = `${line.slice(0, at)}${letter}${line.slice(at + 1)}`
        if (deed === 'remove') spoilt.splice(index, 1)
        if (deed === 'repeat') spoilt.splice(index, 0, line)
        if (deed === 'swap') spoilt.splice(index, 2, spoilt[index + 1] ?? '', line)
        const verdict = await verifyAudit(spoilt)
        expect(verdict.ok).toBe(false)
        expect(verdict.ok ? 0 : verdict.line).toBe(deed === 'repeat' ? index + 2 : index + 1)
      }),
      { numRuns: 200 },
    )
  })
  it('[MA4] a line torn off by a power failure at any byte is noted, and the chain goes on and verifies', async () => {
    const whole = newFile()
    await write(whole, entry('c1'), entry('c2'))
    const text = readFileSync(whole, 'utf8')
    const first = text.indexOf('\n') + 1
    for (const cut of [first + 1, first + 40, text.length - 30, text.length - 2, text.length - 1]) {
      const file = newFile()
      writeFileSync(file, text.slice(0, cut))
      await write(file, entry('c3'))
      const isOnlyLineFeedLost = cut === text.length - 1
      expect(await verify(file)).toMatchObject({ ok: true, torn: isOnlyLineFeedLost ? [] : [2], head: { count: 3 } })
    }
  })
  it('[MA5] tells the commands whose end is missing, and no others', async () => {
    const file = newFile()
    await write(file, entry('c1'), entry('c1', 'done'), entry('c2'), entry('c3', 'refused'), entry('c4'), entry('c4', 'unknown'))
    const { audit, unfinished } = await openLog(file)
    await audit.close()
    expect(unfinished).toEqual(['c2'])
  })
  it('[MA6] a file that is taken away or written by others is opened anew, and what cannot be written is said to be lost', async () => {
    const file = newFile()
    const { audit } = await openLog(file)
    expect(await audit.append(entry('c1'))).toBe(true)
    renameSync(file, `${file}.1`)
    expect(await audit.append(entry('c2'))).toBe(true)
    expect(await verify(file)).toMatchObject({ ok: true, head: { count: 1 } })
    appendFileSync(file, 'graffiti\n')
    expect(await audit.append(entry('c3'))).toBe(false)
    truncateSync(file, statSync(file).size - 'graffiti\n'.length)
    expect(await audit.append(entry('c4'))).toBe(true)
    await audit.close()
    expect(await audit.append(entry('c5'))).toBe(false)
    expect(await verify(file)).toMatchObject({ ok: true, head: { count: 2 } })
  })
  it('[MA7] does not open where it cannot write, nor on what is no audit log', async () => {
    const audit = createAuditFile({ file: join(FOLDER, 'nowhere', 'audit.jsonl'), log: createKeptLog() })
    expect((await audit.open()).ok).toBe(false)
    const other = newFile()
    writeFileSync(other, 'dear diary\n')
    const opened = await createAuditFile({ file: other, log: createKeptLog() }).open()
    expect(opened.ok ? '' : opened.problem).toContain('is no whole line of an audit log')
  })
  it('[MA8] npm run audit names the first broken line and says it with its exit code', async () => {
    const file = newFile()
    await write(file, entry('c1'), entry('c2'), entry('c3'))
    const run = (...words: string[]): Promise<{ readonly code: unknown; readonly text: string }> =>
      promisify(execFile)(
        process.execPath,
        ['--import', 'tsx', fileURLToPath(new URL('../../scripts/audit.ts', import.meta.url)), ...words],
        {
          timeout: 30_000,
        },
      ).then(
        ({ stdout }) => ({ code: 0, text: stdout }),
        (error: unknown) => {
          const failed: { code?: unknown; stdout?: unknown; stderr?: unknown } = typeof error === 'object' && error !== null ? error : {}
          return { code: failed.code, text: `${String(failed.stdout)}${String(failed.stderr)}` }
        },
      )
    const whole = await run('verify', file)
    expect(whole).toMatchObject({ code: 0 })
    expect(whole.text).toContain('The chain is whole: 3 entries')
    writeFileSync(file, readFileSync(file, 'utf8').replace('"command":"c2"', '"command":"c9"'))
    expect(await run('verify', file)).toEqual({
      code: 1,
      text: 'Line 2 was changed: its hash does not fit it. Everything before it is whole (1 entries).\n',
    })
    expect(await run('verify')).toMatchObject({ code: 2 })
  }, 60_000)
})
