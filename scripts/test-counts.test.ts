import { expect, it } from 'vitest'
import { addCounts, countPlaywright, countRunner, countVitest } from './test-counts.ts'

it('[TC1] adds passed and failed of both runners', () => {
  const vitest = countVitest({ numPassedTests: 5, numFailedTests: 1, testResults: [] })
  const playwright = countPlaywright({ stats: { expected: 7, unexpected: 2, flaky: 1, skipped: 3 } })
  expect(addCounts(countRunner(vitest, 1), countRunner(playwright, 1))).toEqual({ passed: 13, failed: 3 })
})

it('[TC2] counts a test file that broke before its first test as one failure', () => {
  const report = {
    numPassedTests: 2,
    numFailedTests: 1,
    testResults: [
      { status: 'failed', assertionResults: [] },
      { status: 'failed', assertionResults: [{ status: 'failed' }, { status: 'passed' }] },
      { status: 'passed', assertionResults: [{ status: 'passed' }] },
    ],
  }
  expect(countVitest(report)).toEqual({ passed: 2, failed: 2 })
})

it.each([undefined, null, 'text', {}, { stats: {} }])('[TC3] takes the unreadable report %j as a failure', (report) => {
  expect(countRunner(countVitest(report), 0)).toEqual({ passed: 0, failed: 1 })
  expect(countRunner(countPlaywright(report), 0)).toEqual({ passed: 0, failed: 1 })
})

it('[TC4] takes an unhappy exit without a failed test as a failure', () => {
  expect(countRunner({ passed: 9, failed: 0 }, 134)).toEqual({ passed: 9, failed: 1 })
})
