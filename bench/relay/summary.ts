/** How the figures are told: `RESULTS.md`. */
import type { Memory } from './job.ts'
import { costRatio, costRatios, median, toFigures, type Attempt, type Figures, type RelayResults, type Row, type Table } from './results.ts'
import type { ScenarioName } from './scenarios.ts'

const BARE = 'uws'
const OURS = 'semblante'
const BARE_LONG = 'uws-long'
const WS = 'ws'

/** What the relay has promised, as issue and README state it. */
const TARGETS = { ofBare: 0.7, timesWs: 6, idleBytes: 2_500, pacedRatio: 1.3 } as const

export function toMarkdown(results: RelayResults): string {
  const { machine, rounds, payloadBytes, versions } = results
  return [
    '# Relay benchmark',
    '',
    `Made by \`npm run bench:relay\`: ${machine.cpu}, ${String(machine.cores)} cores, Node ${machine.node}, load average`,
    `${machine.load.map((load) => load.toFixed(1)).join(' before and ')} after; ${String(rounds)} rounds, medians. ${toVersions(versions)}.`,
    '',
    'Each contestant runs as a process of its own' +
      (machine.isPinned
        ? ', pinned to one core, the load generator pinned to another.'
        : '; nothing is pinned, `taskset` or a second core is missing.'),
    'Contestants take turns within each round, and ratios are taken within a round. **Compare processor time** (utime + stime of the server,',
    'from /proc): it is steady on a busy machine. Operations per second are what the clock on the wall saw while other programs had the cores',
    'too, and in a closed loop server and generator wait for each other. *Busy* is the share of one core that each used.',
    `Every message carries ${String(payloadBytes)} bytes; what is around them differs and stands under *frame*. After every run the received messages are`,
    'counted: each subscriber must have each message, once.',
    '',
    ...toTargets(results),
    ...results.tables.flatMap(toSection),
  ].join('\n')
}

function toVersions(versions: Readonly<Record<string, string>>): string {
  return Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')
}

// ---------------------------------------------------------------- what was promised

function toTargets({ tables }: RelayResults): readonly string[] {
  const ratios = (scenario: ScenarioName, name: string, reference: string): readonly number[] => {
    const [row, other] = [findRow(tables, scenario, name), findRow(tables, scenario, reference)]
    return row === undefined || other === undefined ? [] : costRatios(row, other)
  }
  const idle = findRow(tables, 'idle', OURS)
  const bytes = idle === undefined ? [] : [worstOf(toFigures(idle).memory)]
  const ofBare = ratios('saturation', BARE, OURS)
  const ofBareLong = ratios('saturation', BARE_LONG, OURS)
  const timesWs = ratios('saturation', WS, OURS)
  const paced = ratios('paced', OURS, BARE)
  return [
    '## What the whole relay should reach',
    '',
    '| | wanted | found (lowest and highest of the rounds) | |',
    '|---|---|---|---|',
    `| deliveries per core at saturation, of bare \`app.publish\` | at least ${toPercent(TARGETS.ofBare)} | ${toRange(ofBare, toPercent)} | ${verdict(ofBare, (value) => value >= TARGETS.ofBare)} |`,
    `| the same, where bare sends frames as long | | ${toRange(ofBareLong, toPercent)} | |`,
    `| deliveries per core at saturation, times \`ws\` | at least ${String(TARGETS.timesWs)} | ${toRange(timesWs, (value) => toNumber(value, 1))} | ${verdict(timesWs, (value) => value >= TARGETS.timesWs)} |`,
    `| processor time per delivery at 50 a second, times bare | at most ${String(TARGETS.pacedRatio)} | ${toRange(paced, (value) => toNumber(value, 2))} | ${verdict(paced, (value) => value <= TARGETS.pacedRatio)} |`,
    `| memory per idle connection | at most ${String(TARGETS.idleBytes)} B | ${toRange(bytes, (value) => `${toNumber(value, 0)} B`)} | ${verdict(bytes, (value) => value <= TARGETS.idleBytes)} |`,
    '',
  ]
}

function toRange(values: readonly number[], toText: (value: number) => string): string {
  if (values.length === 0) return '–'
  const middle = toText(median(values))
  return values.length === 1 ? middle : `${middle} (${toText(Math.min(...values))} to ${toText(Math.max(...values))})`
}

function verdict(values: readonly number[], isMet: (value: number) => boolean): string {
  if (values.length === 0) return 'not measured'
  if (values.every(isMet)) return 'met'
  return isMet(median(values)) ? 'met by the median' : '**missed**'
}

/** What the first ones save by using what was free is not ours to claim. */
function worstOf({ idleBytes, moreBytes }: Memory): number {
  return Math.max(idleBytes, moreBytes)
}

function findRow(tables: readonly Table[], scenario: ScenarioName, contestant: string): Row | undefined {
  return tables.find((table) => table.scenario === scenario)?.rows.find((row) => row.contestant === contestant)
}

// ---------------------------------------------------------------- one table per scenario

function toSection(table: Table): readonly string[] {
  return [`## ${titleOf(table)}`, '', ...aboutOf(table), '', ...headOf(table.scenario), ...table.rows.map((row) => toRow(table, row)), '']
}

function titleOf({ scenario, connections }: Table): string {
  const total = connections.toLocaleString('en')
  switch (scenario) {
    case 'saturation':
      return `1 publisher, ${total} subscribers, 16 messages in flight`
    case 'paced':
      return `1 publisher, ${total} subscribers, 50 messages a second`
    case 'echo':
      return `Echo on ${total} connections`
    case 'idle':
      return `Memory of ${total} idle connections`
    case 'accepts':
      return `New connections, ${total} at a time`
  }
}

function aboutOf({ scenario, rows }: Table): readonly string[] {
  switch (scenario) {
    case 'saturation':
      return ['A message is in flight until the last subscriber has it. The operation is one delivery.']
    case 'paced':
      return ['Nothing to gather into one send: here the system call is the cost, and everybody pays it. The operation is one delivery.']
    case 'echo':
      return [
        'One question at a time on each connection. The generator works about as hard as the fastest servers, so the clock on the wall says little.',
        '',
        ...rows.map(({ title, echo }) => `- ${title}: ${echo}`),
      ]
    case 'idle':
      return [
        "Growth of the server's resident memory (VmRSS) from rest to rest; on Node after a garbage collection and with `--max-semi-space-size=1`, because",
        'a young generation of some 30 MB that comes and goes would hide what is looked for. The first thousands find free memory from the start of the',
        'process, and V8 takes and gives back whole pages, so the larger of the two columns counts. Kernel buffers are not in it. One round.',
      ]
    case 'accepts':
      return ['TCP, upgrade, token and welcome where there are any, until the server takes messages; then dropped, which is in the figure.']
  }
}

function headOf(scenario: ScenarioName): readonly string[] {
  if (scenario === 'idle')
    return ['| | bytes per connection | each of 5,000 more | process, in all | processor µs to open one |', '|---|---|---|---|---|']
  const perCore = scenario === 'accepts' ? 'accepts' : scenario === 'echo' ? 'answers' : 'deliveries'
  return [
    `| | server µs each | user + system | times bare | ${perCore}/s per core | on the wall | server busy | generator busy | generator µs each | frame |`,
    '|---|---|---|---|---|---|---|---|---|---|',
  ]
}

function toRow({ scenario, rows }: Table, row: Row): string {
  const failure = row.attempts.find((attempt) => attempt.state !== 'measured')
  if (failure !== undefined) return `| ${row.title} | ${toText(failure)} |`
  const figures = toFigures(row)
  if (scenario === 'idle') {
    const { idleBytes, moreBytes, unsettledBytes } = figures.memory
    const cells = [toNumber(idleBytes, 0), toNumber(moreBytes, 0), `${toNumber(unsettledBytes / 1e6, 0)} MB`, toNumber(figures.serverUs, 0)]
    return `| ${[row.title, ...cells].join(' | ')} |`
  }
  const bare = rows.find(({ contestant }) => contestant === BARE)
  const times = bare === undefined ? Number.NaN : costRatio(row, bare)
  return `| ${[row.title, ...toCells(figures, times)].join(' | ')} |`
}

function toCells(figures: Figures, times: number): readonly string[] {
  const digits = figures.serverUs < 20 ? 2 : 1
  return [
    toNumber(figures.serverUs, digits),
    `${toNumber(figures.serverUserUs, digits)} + ${toNumber(figures.serverSystemUs, digits)}`,
    toNumber(times, 2),
    toThousands(1e6 / figures.serverUs),
    toThousands(figures.operationsPerSecond),
    toPercent(figures.serverBusy),
    toPercent(figures.generatorBusy),
    toNumber(figures.generatorUs, digits),
    figures.frameBytes === 0 ? '–' : `${String(figures.frameBytes)} B`,
  ]
}

function toText(attempt: Attempt): string {
  return attempt.state === 'failed' ? `failed: ${attempt.problem}` : attempt.state
}

function toNumber(value: number, digits: number): string {
  return Number.isNaN(value) ? '–' : value.toFixed(digits)
}

function toThousands(value: number): string {
  return Number.isNaN(value) ? '–' : (Math.round(value / 100) * 100).toLocaleString('en')
}

function toPercent(value: number): string {
  return Number.isNaN(value) ? '–' : `${(value * 100).toFixed(0)} %`
}
