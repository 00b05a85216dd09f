import { AUDITED_CATEGORIES, AUDITED_PAGES, auditPage, LEAST_SCORES, openAuditBrowser } from '../../scripts/lighthouse.ts'
import { startRelayProcess } from './relay-process.ts'
import { expect, test } from './station-test.ts'

test('[LH1] Lighthouse finds nothing to complain about in accessibility and best practices, on any page', async () => {
  const relay = await startRelayProcess()
  const browser = await openAuditBrowser()
  try {
    for (const page of AUDITED_PAGES) {
      const { scores, faults } = await auditPage(`${relay.origin}/#/${page}`, browser.port)
      // Performance is told, not asserted: the machine that runs the tests is no phone, and seldom idle.
      const isSlow = scores.performance < LEAST_SCORES.performance
      const told = AUDITED_CATEGORIES.map((category) => `${category} ${scores[category]}`).join(', ')
      process.stdout.write(`    #/${page}: ${told}${isSlow ? `, below ${LEAST_SCORES.performance} here` : ''}\n`)
      expect(faults, `#/${page}`).toEqual([])
      expect(scores, `#/${page}`).toMatchObject({
        accessibility: LEAST_SCORES.accessibility,
        'best-practices': LEAST_SCORES['best-practices'],
      })
    }
  } finally {
    await browser.close()
    await relay.stop()
  }
})
