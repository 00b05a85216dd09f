/** That ratios are taken within a round, and that what could not be measured is said. */
import { expect, it } from 'vitest'
import type { Sample } from './job.ts'
import { costRatio, toFigures, type Attempt, type RelayResults, type Row } from './results.ts'
import { toMarkdown } from './summary.ts'

function measured(serverMs: number, operations = 1_000): Attempt {
  const sample: Sample = {
    operations,
    wallMs: 100,
    serverUserMs: serverMs,
    serverSystemMs: 0,
    generatorMs: 1,
    frameBytes: 204,
  }
  return { state: 'measured', sample }
}

function row(contestant: string, attempts: readonly Attempt[]): Row {
  return { contestant, title: contestant, echo: '', attempts }
}

it('[RB7] takes ratios within a round, where both were slowed by the same neighbours', () => {
  const bare = row('uws', [measured(1), measured(10), measured(1)])
  expect(costRatio(row('ws', [measured(2), measured(20), measured(2)]), bare)).toBe(2)
  expect(toFigures(bare).serverUs).toBe(1)
})

it('[RB8] says what is not installed, what failed, and which promise was missed', () => {
  const results: RelayResults = {
    machine: { cpu: 'a processor', cores: 2, node: '20', isPinned: true, load: [0, 1] },
    versions: { ws: '8' },
    rounds: 1,
    payloadBytes: 200,
    tables: [
      {
        scenario: 'saturation',
        connections: 1_000,
        rows: [
          row('uws', [measured(5)]),
          row('semblante', [measured(10)]),
          row('ws', [measured(80)]),
          row('nats', [{ state: 'not installed' }]),
          row('mosquitto', [{ state: 'failed', problem: 'a message was lost' }]),
        ],
      },
    ],
  }
  const text = toMarkdown(results)
  expect(text).toContain('| nats | not installed |')
  expect(text).toContain('| mosquitto | failed: a message was lost |')
  expect(text).toContain('at least 70 % | 50 % | **missed** |')
  expect(text).toContain('at least 6 | 8.0 | met |')
  expect(text).toContain('at most 2500 B | – | not measured |')
})
