import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { startRelayProcess, type RelayProcess } from './relay-process.ts'
import { expect, test as base } from './station-test.ts'
import { startStreamListener } from './stream-listener.ts'

const TOKEN = 'the-token-of-these-tests-only'
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

const test = base.extend<{ readonly admin: Page }>({
  camera: 'unplugged',
  relay: async ({}, use) => {
    const relay = await startRelay()
    await use(relay)
    await relay.stop()
  },
  /** The address people type, opened; nobody let in yet. */
  admin: async ({ tablet, relay }, use) => {
    const page = tablet.pages()[0] ?? (await tablet.newPage())
    await page.goto(`${relay.origin}/admin`)
    await page.getByTestId('admin-token').waitFor()
    await use(page)
  },
})

function startRelay(port?: number): Promise<RelayProcess> {
  return startRelayProcess({ environment: { ADMIN_TOKEN: TOKEN }, ...(port === undefined ? {} : { port }) })
}

async function enter(page: Page, token = TOKEN): Promise<void> {
  await page.getByTestId('admin-token').fill(token)
  await page.getByTestId('admin-enter').click()
}

async function waitForReports(page: Page): Promise<void> {
  await expect(page.getByTestId('admin-dashboard')).toHaveAttribute('data-freshness', 'fresh')
}

async function countConnections(page: Page): Promise<number> {
  return Number(await page.getByTestId('admin-figure-connections').innerText())
}

async function readStorage(page: Page): Promise<string> {
  return await page.evaluate(() =>
    JSON.stringify([Object.entries(sessionStorage), Object.entries(localStorage), document.cookie, location.href]),
  )
}

test('[AD1] a wrong token is refused in words and kept nowhere; the right one lets in', async ({ admin }) => {
  await enter(admin, 'surely-not-the-token-of-this-relay')
  await expect(admin.getByTestId('admin-gate')).toHaveAttribute('data-denial', 'wrong-token')
  await expect(admin.getByTestId('admin-denied')).toBeVisible()
  await expect(admin.getByTestId('admin-token')).toHaveValue('')
  expect(await readStorage(admin)).not.toContain('surely-not')

  await enter(admin)
  await waitForReports(admin)
  await expect(admin.getByTestId('admin-status')).toHaveAttribute('data-state', 'ready')
})

test('[AD2] a good token without the role is told apart from a wrong one', async ({ admin, relay }) => {
  const response = await fetch(`${relay.origin}/api/auth/acquire-session`, { method: 'POST' })
  const { data }: { data: { token: string } } = await response.json()
  await enter(admin, data.token)
  await expect(admin.getByTestId('admin-gate')).toHaveAttribute('data-denial', 'not-admin')
})

test('[AD3] the number of connections follows programs that come and go, and the list names them', async ({ admin, relay }) => {
  await enter(admin)
  await waitForReports(admin)
  // This page has two: the tablet's own and the administrator's.
  await expect.poll(() => countConnections(admin)).toBe(2)
  const listeners = [startStreamListener(relay.origin), startStreamListener(relay.origin)]
  try {
    await expect.poll(() => countConnections(admin)).toBe(4)
    await expect(admin.locator('[data-testid=admin-note][data-event=joined]').first()).toBeVisible()
  } finally {
    await Promise.all(listeners.map((listener) => listener.stop()))
  }
  await expect.poll(() => countConnections(admin)).toBe(2)
  await expect(admin.locator('[data-testid=admin-note][data-event=left]').first()).toBeVisible()
})

test('[AD4] the token is forgotten with the page, unless the person wants this tab to remember it', async ({ admin }) => {
  await enter(admin)
  await waitForReports(admin)
  expect(await readStorage(admin)).not.toContain(TOKEN)
  await admin.reload()
  await expect(admin.getByTestId('admin-token')).toBeVisible()

  await admin.getByTestId('admin-remember').check()
  await enter(admin)
  await waitForReports(admin)
  expect(await readStorage(admin)).toContain(TOKEN)
  expect(admin.url()).not.toContain(TOKEN)
  await admin.reload()
  await waitForReports(admin)

  await admin.getByTestId('admin-leave').click()
  await expect(admin.getByTestId('admin-token')).toBeVisible()
  expect(await readStorage(admin)).not.toContain(TOKEN)
})

test('[AD5] with the relay gone the page says so and keeps what it heard; with the relay back it goes on', async ({ admin, relay }) => {
  await enter(admin)
  await waitForReports(admin)
  await relay.kill()
  await expect(admin.getByTestId('admin-status')).toHaveAttribute('data-state', 'away')
  await expect(admin.getByTestId('admin-figure-connections')).toBeVisible()
  const second = await startRelay(relay.port)
  try {
    await expect(admin.getByTestId('admin-status')).toHaveAttribute('data-state', 'ready')
    await waitForReports(admin)
  } finally {
    await second.stop()
  }
})

test('[AD6] the keyboard alone is enough', async ({ admin }) => {
  await expect(admin.getByTestId('admin-token')).toBeFocused()
  await admin.keyboard.type(TOKEN)
  await admin.keyboard.press('Tab')
  await expect(admin.getByTestId('admin-remember')).toBeFocused()
  await admin.keyboard.press('Tab')
  await expect(admin.getByTestId('admin-enter')).toBeFocused()
  await admin.keyboard.press('Enter')
  await waitForReports(admin)
  await expect(admin.getByTestId('admin-dashboard').getByRole('heading', { level: 1 })).toBeFocused()
  await admin.keyboard.press('Tab')
  await expect(admin.getByTestId('admin-leave')).toBeFocused()
})

for (const colorScheme of ['light', 'dark'] as const) {
  test(`[AD7] the page meets WCAG 2.2 AA, ${colorScheme}, also in Persian`, async ({ admin, relay }) => {
    await admin.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    for (const language of ['es', 'fa']) {
      await admin.evaluate((choice) => {
        localStorage.setItem('semblante.language', choice)
      }, language)
      await admin.goto(`${relay.origin}/admin`)
      await admin.getByTestId('admin-token').waitFor()
      expect(await findBarriers(admin), `gate, ${language}`).toEqual([])
      await enter(admin)
      await waitForReports(admin)
      expect(await findBarriers(admin), `dashboard, ${language}`).toEqual([])
    }
  })
}

test('[AD8] a tablet that only reads faces never runs a line of this page', async ({ tablet, relay }) => {
  const page = tablet.pages()[0] ?? (await tablet.newPage())
  await page.goto(`${relay.origin}/`)
  await page.getByTestId('camera-start').waitFor()
  const loaded = await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name))
  expect(loaded.some((name) => name.includes('/assets/index-'))).toBe(true)
  expect(loaded.filter((name) => name.includes('/assets/admin-'))).toEqual([])
})

async function findBarriers(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).withTags(RULES).analyze()
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join('; ')}`)
}
