import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Check } from 'typebox/value'
import { createFakeClock } from '#shared/testing/fake-clock'
import { builtInProfile } from '../profiles/status-profile.ts'
import { createMachinesSource } from './machines-source.ts'
import { demonstrationMachines, parseMachines, parseMachinesText, type ParsedMachines } from './parse-machines.ts'

const docs = (name: string): string => readFileSync(fileURLToPath(new URL(`../../../docs/${name}`, import.meta.url)), 'utf8')
const parsed = (json: unknown): ParsedMachines => {
  const result = parseMachines(json)
  if (!result.ok) throw new Error(result.mistakes.join('\n'))
  return result.parsed
}
const mistakesOf = (json: unknown): readonly string[] => {
  const result = parseMachines(json)
  return result.ok ? [] : result.mistakes
}

/** As carousel_api writes it. */
const MULTI = {
  api_config: {
    port: 5000,
    debug: false,
    allowed_origins: 'http://localhost:3000,http://192.168.1.10',
    websocket_port: 8765,
    host: '0.0.0.0',
  },
  plc_machines: [
    { id: 'machine_1', name: 'Carrusel Principal', ip: '192.168.1.50', port: 3200, simulator: false, description: 'Línea 1' },
    { id: 'machine_2', name: 'Carrusel Secundario', ip: '192.168.1.50', port: 3200, simulator: true },
  ],
  logging: { level: 'INFO', max_file_size_mb: 10, backup_count: 5, connection_log_enabled: true },
}
const SINGLE = { ip: '192.168.1.50', port: 3200, simulator_enabled: false, api_port: 5000 }

const OURS = { id: 'a', name: 'A', driver: 'simulated', positions: 10 }

describe("carousel_api's files", () => {
  it('[MF1] reads config_multi_plc.json unchanged', () => {
    const { mode, machines, notes } = parsed(MULTI)
    expect(mode).toBe('multi-plc')
    expect(machines).toMatchObject([
      {
        id: 'machine_1',
        name: 'Carrusel Principal',
        driver: 'delta-as',
        address: { host: '192.168.1.50', port: 3200 },
        description: 'Línea 1',
      },
      { id: 'machine_2', name: 'Carrusel Secundario', driver: 'simulated', description: 'Máquina Carrusel Secundario' },
    ])
    expect(machines.map(({ profile, positions, firstBucket }) => [profile.name, positions, firstBucket])).toEqual([
      ['delta_as', 24, 1],
      ['delta_as', 24, 1],
    ])
    expect(notes).toHaveLength(2)
    expect(parsed({ plc_machines: [{ ...MULTI.plc_machines[0], positions: 6 }] })).toMatchObject({
      machines: [{ positions: 6 }],
      notes: [],
    })
  })
  it('[MF2] reads config.json unchanged', () => {
    expect(parsed(SINGLE)).toMatchObject({
      mode: 'single-plc',
      machines: [{ id: 'machine_1', driver: 'delta-as', address: { host: '192.168.1.50', port: 3200 } }],
    })
    expect(parsed({ ...SINGLE, simulator_enabled: true })).toMatchObject({ machines: [{ driver: 'simulated' }] })
  })
  it('[MF3] names every mistake in them at once', () => {
    const bad = [
      { id: 'con espacio', name: '', ip: 'no host!', port: 0, simulator: 'yes' },
      { id: 'b', name: 'B', ip: '10.0.0.1', port: 1 },
      { id: 'b', name: 'B', ip: '10.0.0.1', port: 2 },
      7,
    ]
    const mistakes = mistakesOf({ plc_machines: bad })
    for (const place of ['[0].id', '[0].name', '[0].ip', '[0].port', '[0].simulator', '[3]']) {
      expect(mistakes.some((mistake) => mistake.startsWith(`plc_machines${place}:`))).toBe(true)
    }
    expect(mistakes.join()).toContain('"b" stands there twice')
    expect(mistakesOf({ plc_machines: [] })).toHaveLength(1)
  })
})

describe('our file', () => {
  it('[MF4] fills in what is left out', () => {
    expect(parsed({ machines: [OURS] }).machines).toEqual([
      {
        ...OURS,
        ...{ description: undefined, address: undefined, profile: builtInProfile('delta_as'), firstBucket: 1, firstPosition: 0 },
        ...{ pollMs: 250, rawCodes: [], commandRoles: undefined, options: {} },
      },
    ])
    expect(parsed({ machines: [] }).machines).toEqual([])
  })
  it.each([
    [{ ...OURS, id: 'a/b' }, 'machines[0].id'],
    [{ ...OURS, name: ' ' }, 'machines[0].name'],
    [{ ...OURS, driver: 'steam' }, 'machines[0].driver: "steam" is no driver; expected one of simulated, delta-as'],
    [{ ...OURS, driver: 'delta-as' }, 'machines[0].address: expected {"host": …, "port": …}: this driver needs one'],
    [{ ...OURS, address: { host: 'a b', port: 1 } }, 'machines[0].address.host'],
    [{ ...OURS, address: { host: 'plc', port: 70_000 } }, 'machines[0].address.port'],
    [{ ...OURS, profile: 'main' }, 'machines[0].profile: expected delta_as or doc'],
    [{ ...OURS, positions: 1 }, 'machines[0].positions'],
    [{ ...OURS, firstBucket: 2 }, 'machines[0].firstBucket'],
    [{ ...OURS, firstPosition: -1 }, 'machines[0].firstPosition'],
    [{ ...OURS, pollMs: 10 }, 'machines[0].pollMs'],
    [{ ...OURS, rawCodes: [5, 2] }, 'machines[0].rawCodes[1]'],
    [{ ...OURS, commandRoles: ['boss'] }, 'machines[0].commandRoles[0]'],
    [{ ...OURS, options: { wandering: 'sometimes' } }, 'machines[0].options.wandering'],
    [{ ...OURS, options: { speed: 3 } }, 'machines[0].options.speed'],
    [{ ...OURS, colour: 'red' }, 'machines[0]: has no field "colour"'],
  ])('[MF5] says what is wrong in %j', (machine, beginning) => {
    const mistakes = mistakesOf({ machines: [machine] })
    expect(mistakes).toHaveLength(1)
    expect(mistakes[0]?.startsWith(beginning)).toBe(true)
  })
  it('[MF6] finds all mistakes at once, ids and addresses that are not alone, and fields of the file nobody knows', () => {
    const at = { driver: 'delta-as', address: { host: '10.0.0.1' } }
    const mistakes = mistakesOf({
      machines: [OURS, OURS, { ...OURS, ...at, id: 'c' }, { ...OURS, ...at, id: 'd' }, { ...OURS, id: '', pollMs: 0 }],
      more: 1,
    })
    expect(mistakes).toHaveLength(5)
    expect(mistakes.join(' ')).toContain('c and d are both at 10.0.0.1:3200')
  })
  it('[MF7] any text gives machines or at least one mistake, and nothing else', () => {
    const word = fc.constantFrom(
      'machines',
      'plc_machines',
      'ip',
      'port',
      'id',
      'name',
      'driver',
      'simulated',
      'address',
      'positions',
      'options',
    )
    const json = fc.oneof(
      fc.json(),
      fc.dictionary(word, fc.oneof(fc.jsonValue(), fc.array(fc.dictionary(word, fc.jsonValue())))).map((value) => JSON.stringify(value)),
    )
    fc.assert(
      fc.property(fc.oneof(fc.string(), json), (text) => {
        const result = parseMachinesText(text)
        if (!result.ok) expect(result.mistakes.length).toBeGreaterThan(0)
      }),
      { numRuns: 500 },
    )
  })
  it('[MF8] the schema, the example in the documents and the parser agree', () => {
    const schema: Record<string, unknown> = JSON.parse(docs('machines-file.schema.json'))
    const example: unknown = JSON.parse(/```json\n([\s\S]*?)```/.exec(docs('machines-file.md'))?.[1] ?? '')
    expect(parsed(example).machines).toHaveLength(2)
    const good = [example, { machines: [OURS] }, { machines: [] }]
    const wrong = [
      ...[
        { ...OURS, id: 'a/b' },
        { ...OURS, name: '' },
        { ...OURS, positions: 1 },
        { ...OURS, firstBucket: 2 },
        { ...OURS, pollMs: 1 },
      ],
      ...[
        { ...OURS, rawCodes: [4] },
        { ...OURS, commandRoles: ['boss'] },
        { ...OURS, profile: ['ready'] },
        { ...OURS, colour: 1 },
      ],
      ...[{ ...OURS, address: { host: 'x', port: 0 } }, { ...OURS, address: { port: 1 } }, { ...OURS, options: [] }, { name: 'A' }],
    ].map((machine): unknown => ({ machines: [machine] }))
    for (const json of good) expect([Check(schema, json), parseMachines(json).ok]).toEqual([true, true])
    for (const json of wrong)
      expect([JSON.stringify(json), Check(schema, json), parseMachines(json).ok]).toEqual([JSON.stringify(json), false, false])
  })
})

describe('where machines come from', () => {
  it('[MF9] without a file there are two simulated carousels', async () => {
    const source = createMachinesSource('', createFakeClock())
    expect(await source.read()).toEqual({ ok: true, parsed: demonstrationMachines() })
    expect(demonstrationMachines().machines.map(({ id, name, positions }) => [id, name, positions])).toEqual([
      ['machine_1', 'Carrusel Principal', 32],
      ['machine_2', 'Carrusel Secundario', 10],
    ])
  })
  it('[MF10] says when the file has changed and settled, once, and when it cannot be read', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'semblante-machines-'))
    const file = join(folder, 'machines.json')
    writeFileSync(file, JSON.stringify({ machines: [OURS] }))
    const clock = createFakeClock()
    const source = createMachinesSource(file, clock)
    let changes = 0
    const end = source.watch(() => (changes += 1))
    /** Looking goes through the file system, which has its own time. */
    const look = async (times: number): Promise<void> => {
      for (let time = 0; time < times; time += 1) {
        clock.advance(2_000)
        // Behind the look's own question in the same queue.
        for (let turn = 0; turn < 8; turn += 1) await stat(folder).catch(() => undefined)
      }
    }
    await look(3)
    expect(changes).toBe(0)
    writeFileSync(file, JSON.stringify({ machines: [OURS, { ...OURS, id: 'b' }] }))
    utimesSync(file, 1, 2)
    for (let time = 0; time < 50 && changes === 0; time += 1) await look(1)
    await look(3)
    expect(changes).toBe(1)
    expect(await source.read()).toMatchObject({ ok: true, parsed: { machines: [{ id: 'a' }, { id: 'b' }] } })
    rmSync(folder, { recursive: true })
    await look(3)
    expect(changes).toBe(1)
    expect(await source.read()).toMatchObject({ ok: false })
    end()
    expect(clock.pendingTimers()).toBe(0)
  })
})
