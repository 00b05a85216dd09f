/** How many tests passed and failed, out of the reports of the runners. A report that cannot be read is a failure, never a zero. */

export interface TestCounts {
  readonly passed: number
  readonly failed: number
}

/** @param report what vitest's `json` reporter wrote; files that broke before their first test count as one failure each. */
export function countVitest(report: unknown): TestCounts | undefined {
  const passed = readNumber(report, 'numPassedTests')
  const failed = readNumber(report, 'numFailedTests')
  if (passed === undefined || failed === undefined) return undefined
  return { passed, failed: failed + countBrokenFiles(report) }
}

/** @param report what Playwright's `json` reporter wrote; a test that passed only when repeated counts as passed. */
export function countPlaywright(report: unknown): TestCounts | undefined {
  const stats = readField(report, 'stats')
  const expected = readNumber(stats, 'expected')
  const unexpected = readNumber(stats, 'unexpected')
  if (expected === undefined || unexpected === undefined) return undefined
  return { passed: expected + (readNumber(stats, 'flaky') ?? 0), failed: unexpected }
}

/** What a runner did, given how it ended: an unhappy exit without a failed test, or without a report, is one failure. */
export function countRunner(counts: TestCounts | undefined, exitCode: number): TestCounts {
  if (counts === undefined) return { passed: 0, failed: 1 }
  if (exitCode !== 0 && counts.failed === 0) return { passed: counts.passed, failed: 1 }
  return counts
}

export function addCounts(...all: readonly TestCounts[]): TestCounts {
  return { passed: sum(all.map((counts) => counts.passed)), failed: sum(all.map((counts) => counts.failed)) }
}

function countBrokenFiles(report: unknown): number {
  const files = readField(report, 'testResults')
  if (!Array.isArray(files)) return 0
  return files.filter((file: unknown) => {
    const tests = readField(file, 'assertionResults')
    return readField(file, 'status') === 'failed' && Array.isArray(tests) && tests.every((test) => readField(test, 'status') !== 'failed')
  }).length
}

function readNumber(value: unknown, name: string): number | undefined {
  const field = readField(value, name)
  return typeof field === 'number' ? field : undefined
}

function readField(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
