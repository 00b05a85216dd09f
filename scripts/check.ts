/**
 * `npm run check`: everything that can be known about the code without running it, one line per tool, the output of those that
 * found something, and `N passed, N failed` at the end. What the tools are told lives in their own files at the root.
 */
import { spawn } from 'node:child_process'
import { ensureBuilt } from './build.ts'

interface Tool {
  readonly name: string
  /** A script under node_modules or scripts, and its arguments. */
  readonly command: readonly [string, ...string[]]
  /** Runs as TypeScript. */
  readonly isOurs?: boolean
}

/** The quick ones first. */
const TOOLS: readonly Tool[] = [
  { name: 'generated files are fresh', command: ['scripts/generate.ts', '--check'], isOurs: true },
  {
    name: 'import rules (dependency-cruiser)',
    command: [
      'node_modules/dependency-cruiser/bin/dependency-cruise.mjs',
      '--config',
      '.dependency-cruiser.cjs',
      'relay',
      'shared',
      'web',
      'scripts',
      'bench',
      'examples',
    ],
  },
  { name: 'types, Node (tsc)', command: ['node_modules/typescript/bin/tsc', '--project', 'tsconfig.json'] },
  { name: 'types, page tests (tsc)', command: ['node_modules/typescript/bin/tsc', '--project', 'web/tsconfig.test.json'] },
  {
    name: 'types, page (svelte-check)',
    command: ['node_modules/svelte-check/bin/svelte-check', '--tsconfig', 'web/tsconfig.json', '--fail-on-warnings', '--output', 'human'],
  },
  { name: 'format (prettier)', command: ['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.'] },
  { name: 'unused code (knip)', command: ['node_modules/knip/bin/knip.js', '--no-progress'] },
  { name: 'lint (ESLint)', command: ['node_modules/eslint/bin/eslint.js', '--max-warnings', '0', '.'] },
]
/** Two at a time: most of them use one core each. */
const AT_ONCE = 2
/** A tool that hangs is a tool that failed. */
const TIMEOUT_MS = 600_000

interface Outcome {
  readonly isGood: boolean
  readonly output: string
  readonly seconds: string
}

const outcomes: boolean[] = []

/** Messages and the page's generated modules are needed before types can be checked. */
if (!(await ensureBuilt())) outcomes.push(report('page builds', { isGood: false, output: '', seconds: '' }))

const waiting = [...TOOLS]
await Promise.all(Array.from({ length: AT_ONCE }, runWaiting))
const failed = outcomes.filter((isGood) => !isGood).length
console.log(`${outcomes.length - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1

async function runWaiting(): Promise<void> {
  for (let tool = waiting.shift(); tool !== undefined; tool = waiting.shift()) {
    outcomes.push(report(tool.name, await runTool(tool)))
  }
}

async function runTool(tool: Tool): Promise<Outcome> {
  const startedAt = performance.now()
  const options = tool.isOurs === true ? ['--import', 'tsx'] : []
  const child = spawn(process.execPath, [...options, ...tool.command], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, FORCE_COLOR: process.stdout.isTTY ? '1' : '0', ...(process.stdout.isTTY ? {} : { NO_COLOR: '1' }) },
    timeout: TIMEOUT_MS,
  })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
  const isGood = await new Promise<boolean>((resolve) => {
    child.once('error', () => resolve(false))
    child.once('close', (code) => resolve(code === 0))
  })
  const seconds = `${((performance.now() - startedAt) / 1000).toFixed(1)} s`
  return { isGood, output: Buffer.concat(chunks).toString('utf8').trim(), seconds }
}

function report(name: string, outcome: Outcome): boolean {
  console.log(`${outcome.isGood ? '✓' : '✗'} ${name} ${outcome.seconds}`)
  if (!outcome.isGood && outcome.output !== '') console.log(`${outcome.output}\n`)
  return outcome.isGood
}
