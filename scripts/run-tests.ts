/**
 * Builds the page, finds a browser, runs vitest and Playwright one after the other and adds up what they report. The last line is
 * `N passed, N failed`; a runner that breaks down counts as a failure even if it never reported one.
 */
import { spawn } from 'node:child_process'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureBuilt } from './build.ts'
import { NO_CHROMIUM, obtainChromium } from './chromium.ts'
import { findProgram, installPackage } from './system-program.ts'
import { addCounts, countPlaywright, countRunner, countVitest, type TestCounts } from './test-counts.ts'

const REPORT_FOLDER = 'test-results/reports'
const ONE_FAILURE: TestCounts = { passed: 0, failed: 1 }

/** @returns the exit code. */
export async function runTests(): Promise<number> {
  await mkdir(REPORT_FOLDER, { recursive: true })
  const total = (await ensureBuilt()) ? addCounts(await runVitest(), await runPlaywright()) : ONE_FAILURE
  console.log(`${total.passed} passed, ${total.failed} failed`)
  return total.failed === 0 && total.passed > 0 ? 0 : 1
}

/** Tests of several relays need the broker itself; without it they are skipped and say so. */
function obtainNatsServer(): void {
  if (findProgram('nats-server') !== undefined) return
  console.log('no nats-server here; installing the system package')
  installPackage('nats-server')
}

async function runVitest(): Promise<TestCounts> {
  obtainNatsServer()
  const report = join(REPORT_FOLDER, 'vitest.json')
  await rm(report, { force: true })
  const exitCode = await runTool('node_modules/vitest/vitest.mjs', [
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ])
  return countRunner(countVitest(await readReport(report)), exitCode)
}

async function runPlaywright(): Promise<TestCounts> {
  const chromiumPath = await obtainChromium((line) => console.log(line))
  if (chromiumPath === undefined) {
    console.error(NO_CHROMIUM)
    return ONE_FAILURE
  }
  // Playwright empties test-results/ when it starts; its report is written at the end.
  const report = join(REPORT_FOLDER, 'playwright.json')
  await rm(report, { force: true })
  const exitCode = await runTool('node_modules/@playwright/test/cli.js', ['test', '--reporter=list,json'], {
    CHROMIUM_PATH: chromiumPath,
    PLAYWRIGHT_JSON_OUTPUT_FILE: report,
  })
  return countRunner(countPlaywright(await readReport(report)), exitCode)
}

async function runTool(script: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<number> {
  const child = spawn(process.execPath, [script, ...args], { stdio: 'inherit', env: { ...process.env, ...environment } })
  return await new Promise((resolve) => {
    child.once('error', () => resolve(1))
    child.once('exit', (code) => resolve(code ?? 1))
  })
}

async function readReport(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch {
    return undefined
  }
}
