/** Each driver's folder says in `quality.json` what holds for it, and which test shows it. This reads the lists and looks for the tests. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { DRIVERS } from './driver-registry.ts'

/** What a driver that people stand beside should keep. */
const RULES = {
  contract: 'runs the driver contract suite',
  simulator: 'has a simulator that is a real server of the protocol',
  independent: 'was run against a server that is not ours',
  writesOnce: 'never writes a command twice',
  reconnects: 'comes back by itself, with patience',
  bounded: 'bounds what it keeps and how long it waits',
  parser: 'has a parser of pure byte code that is total, shown by property or fuzz',
  honest: 'says nothing that the machine did not, under any mixture of faults',
  options: 'checks its options and says what was expected',
} as const

const root = fileURLToPath(new URL('.', import.meta.url))

function readText(path: string): string {
  return readFileSync(`${root}${path}`, 'utf8')
}

describe.each([...DRIVERS.keys()])('quality of the driver %s', (driver) => {
  const files = readdirSync(`${root}${driver}`, { recursive: true, encoding: 'utf8' })
  const list: unknown = JSON.parse(readText(`${driver}/quality.json`))
  const entries = typeof list === 'object' && list !== null ? Object.entries(list) : []
  const tests = files
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => readText(`${driver}/${file}`))
    .join('\n')

  it('[PQ1] says something of every rule and of nothing else', () => {
    expect(entries.map(([rule]) => rule).sort()).toEqual(Object.keys(RULES).sort())
  })
  it.each(Object.keys(RULES))('[PQ2] %s: names a test that is there, or why there is none', (rule) => {
    const said: unknown = entries.find(([name]) => name === rule)?.[1]
    const text = typeof said === 'string' ? said : ''
    const isExempt = /^not: .{10,}/.test(text)
    const ids = text.match(/\b[A-Z]{2}\d+\b/g) ?? []
    expect(isExempt || ids.length > 0, `${rule} is "${text}"`).toBe(true)
    for (const id of ids) expect(tests.includes(`[${id}]`) || (id.startsWith('PD') && tests.includes('describeDriver(')), id).toBe(true)
  })
})
