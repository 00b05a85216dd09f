import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSeededRandom } from '#shared/testing/seeded-random'
import { createSystemClock } from '../../relay/ops/system-clock.ts'
import { createModbusSimulator, MODBUS_LAYOUT } from '../../relay/plc/modbus-tcp/modbus-simulator.ts'
import { builtInProfile } from '../../relay/plc/profiles/status-profile.ts'
import { createSimulatedCarousel, type CarouselControls } from '../../relay/plc/simulated/simulated-carousel.ts'
import { startRelayProcess, type RelayProcess } from './relay-process.ts'
import { expect, test as base } from './station-test.ts'

const TOKEN = 'the-token-of-these-tests-only'
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
/** Gloves. */
const TARGET_PX = 64
const MACHINES = {
  machines: [
    { id: 'main', name: 'Carrusel Principal', driver: 'simulated', positions: 32, options: { wandering: 'never' } },
    { id: 'second', name: 'Carrusel Secundario', driver: 'simulated', positions: 10, options: { wandering: 'never' } },
  ],
}

const test = base.extend<{ readonly machinesFile: string; readonly page: Page }>({
  camera: 'unplugged',
  machinesFile: async ({}, use) => {
    const folder = await mkdtemp(join(tmpdir(), 'semblante-machines-'))
    const file = join(folder, 'machines.json')
    await writeFile(file, JSON.stringify(MACHINES))
    await use(file)
    await rm(folder, { recursive: true, force: true })
  },
  relay: async ({ machinesFile }, use) => {
    const relay = await startRelay(machinesFile)
    await use(relay)
    await relay.stop()
  },
  page: async ({ tablet, relay }, use) => {
    const page = tablet.pages()[0] ?? (await tablet.newPage())
    await page.goto(`${relay.origin}/#/machines`)
    await use(page)
  },
})

function startRelay(machinesFile: string, options: { readonly port?: number; readonly roles?: string } = {}): Promise<RelayProcess> {
  const { port, roles = 'viewer,station,operator' } = options
  const environment = { ADMIN_TOKEN: TOKEN, ANONYMOUS_ROLES: roles, MACHINES_FILE: machinesFile }
  return startRelayProcess({ environment, ...(port === undefined ? {} : { port }) })
}

/** Where the machine stands, 0-based. */
async function positionOf(page: Page): Promise<number> {
  return Number(await page.getByTestId('dial').getAttribute('data-position'))
}

async function openMachine(page: Page, machine: string): Promise<void> {
  await page.locator(`[data-testid=machine-card][data-machine=${machine}]`).click()
  await expect(page.getByTestId('dial')).toHaveAttribute('data-position', /^\d+$/)
}

/** Taps the dial where a bucket is drawn. */
async function tapBucket(page: Page, bucket: number, positions: number): Promise<void> {
  const dial = page.getByTestId('dial')
  const box = await dial.boundingBox()
  if (box === null) throw new Error('the dial is not drawn')
  const angle = ((bucket - (await positionOf(page))) * 2 * Math.PI) / positions
  const radius = (box.width / 400) * 148
  await dial.click({ position: { x: box.width / 2 + radius * Math.sin(angle), y: box.height / 2 - radius * Math.cos(angle) } })
}

test('[MP30] both machines are in the list, each with its state in a mark and a word and its position', async ({ page }) => {
  await page.getByTestId('nav-machines').click()
  await expect(page.getByTestId('machine-card')).toHaveCount(2)
  for (const machine of ['main', 'second']) {
    const card = page.locator(`[data-machine=${machine}]`)
    const condition = card.getByTestId('machine-condition')
    await expect(condition).toHaveAttribute('data-condition', 'still')
    await expect(condition).toHaveText('Ready')
    await expect(condition.locator('svg')).toBeVisible()
  }
})

test('[MP31] by touch: a bucket of the dial, a question, the machine moves, Stop ends it without a question', async ({ page }) => {
  await openMachine(page, 'second')
  const start = await positionOf(page)
  const target = (start + 3) % 10
  await tapBucket(page, target, 10)
  await expect(page.getByTestId('dial')).toHaveAttribute('data-chosen', String(target))
  await page.getByTestId('move').click()
  await expect(page.getByTestId('confirm')).toBeVisible()
  await expect(page.getByTestId('machine')).toHaveAttribute('data-moving', 'false')
  await page.getByTestId('confirm-yes').click()
  await expect(page.getByTestId('machine')).toHaveAttribute('data-moving', 'true')
  await expect(page.getByTestId('command')).toHaveAttribute('data-state', 'running')
  // While it moves the page says why it takes no other move.
  await expect(page.getByTestId('obstacle')).toHaveAttribute('data-obstacle', 'busy')
  await expect(page.getByTestId('obstacle')).toContainText('stop it')
  await page.getByTestId('stop').click()
  await expect(page.getByTestId('machine')).toHaveAttribute('data-moving', 'false')
  await expect(page.getByTestId('command')).toHaveAttribute('data-state', 'done')
  expect(await positionOf(page)).not.toBe(target)
})

test('[MP32] by keyboard alone: the dial takes arrows, Home, End and digits, Enter asks and confirms, and the machine arrives', async ({
  page,
}) => {
  await openMachine(page, 'second')
  const dial = page.getByTestId('dial')
  await dial.focus()
  await page.keyboard.press('End')
  await expect(dial).toHaveAttribute('aria-valuenow', '10')
  await page.keyboard.press('ArrowUp')
  await expect(dial).toHaveAttribute('aria-valuenow', '1')
  await page.keyboard.press('Home')
  await page.keyboard.press('ArrowRight')
  await expect(dial).toHaveAttribute('aria-valuetext', 'Bucket 2')
  const target = ((await positionOf(page)) + 1) % 10
  await page.keyboard.press('Escape')
  for (const digit of String(target + 1)) await page.keyboard.press(digit)
  await expect(dial).toHaveAttribute('data-chosen', String(target))
  await page.keyboard.press('Enter')
  await expect(page.getByTestId('confirm-yes')).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(page.getByTestId('machine')).toHaveAttribute('data-moving', 'true')
  await expect(page.getByTestId('command')).toHaveAttribute('data-state', 'done')
  await expect(dial).toHaveAttribute('data-position', String(target))
})

test('[MP33] a reserved machine: another page is told whose it is and what to do, and may still stop it', async ({
  page,
  tablet,
  relay,
}) => {
  await openMachine(page, 'second')
  await page.getByTestId('lease-take').click()
  await expect(page.getByTestId('lease')).toHaveAttribute('data-lease', 'mine')
  const other = await tablet.newPage()
  await other.goto(`${relay.origin}/#/machines/second`)
  await expect(other.getByTestId('obstacle')).toHaveAttribute('data-obstacle', 'reserved')
  await expect(other.getByTestId('move')).toBeDisabled()
  await expect(other.getByTestId('stop')).toBeEnabled()
  await page.getByTestId('lease-release').click()
  await expect(other.getByTestId('obstacle')).toHaveAttribute('data-obstacle', '')
  await other.close()
})

test('[MP34] with the relay killed during a move the page says since when and locks everything; afterwards nothing is sent again', async ({
  page,
  relay,
  machinesFile,
}) => {
  await openMachine(page, 'main')
  await page.getByTestId('step-up').click()
  await page.getByTestId('step-up').click()
  await page.getByTestId('move').click()
  await page.getByTestId('confirm-yes').click()
  await expect(page.getByTestId('machine')).toHaveAttribute('data-moving', 'true')
  await relay.kill()
  await expect(page.getByTestId('machines-away')).toBeVisible()
  await expect(page.getByTestId('stop')).toBeDisabled()
  await expect(page.getByTestId('obstacle')).toHaveAttribute('data-obstacle', 'offline')
  await expect(page.getByTestId('machine-age')).toHaveAttribute('data-old', 'true')
  const second = await startRelay(machinesFile, { port: relay.port })
  try {
    await expect(page.getByTestId('machines')).toHaveAttribute('data-link', 'open')
    await expect(page.getByTestId('machine-condition')).toHaveAttribute('data-condition', 'still')
    expect(await countCommands(second)).toBe(0)
    // A command somebody gives is counted: the count above could have been another.
    await page.getByTestId('stop').click()
    await expect.poll(() => countCommands(second)).toBe(1)
  } finally {
    await second.stop()
  }
})

test('[MP35] who may only look sees everything, is told how to get the right, and gets it with a token', async ({
  tablet,
  machinesFile,
}) => {
  const relay = await startRelay(machinesFile, { roles: 'viewer' })
  try {
    const page = tablet.pages()[0] ?? (await tablet.newPage())
    await page.goto(`${relay.origin}/#/machines/second`)
    await expect(page.getByTestId('dial')).toHaveAttribute('data-position', /^\d+$/)
    await expect(page.getByTestId('obstacle')).toHaveAttribute('data-obstacle', 'rights')
    await expect(page.getByTestId('stop')).toBeDisabled()
    await page.getByTestId('machines-token-open').click()
    await page.getByTestId('machines-token').fill('surely-not-the-token')
    await page.getByTestId('machines-enter').click()
    await expect(page.getByTestId('machines-token-denied')).toBeVisible()
    await page.getByTestId('machines-token').fill(TOKEN)
    await page.getByTestId('machines-enter').click()
    await expect(page.getByTestId('stop')).toBeEnabled()
    expect(await page.evaluate(() => JSON.stringify([Object.entries(sessionStorage), Object.entries(localStorage)]))).not.toContain(TOKEN)
  } finally {
    await relay.stop()
  }
})

for (const colorScheme of ['light', 'dark'] as const) {
  test(`[MP36] both pages meet WCAG 2.2 AA, ${colorScheme}, also in Persian`, async ({ page, relay }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    for (const language of ['es', 'fa']) {
      await page.evaluate((choice) => {
        localStorage.setItem('semblante.language', choice)
      }, language)
      await page.goto(`${relay.origin}/#/machines`)
      await page.reload()
      await page.getByTestId('machine-card').first().waitFor()
      expect(await findBarriers(page), `list, ${language}`).toEqual([])
      await openMachine(page, 'main')
      await page.getByTestId('step-up').click()
      await page.getByTestId('move').click()
      await page.getByTestId('confirm-yes').waitFor()
      expect(await findBarriers(page), `machine, ${language}`).toEqual([])
      if (language === 'fa') await expect(page.getByTestId('chosen')).toHaveText(/^[۰-۹]+$/)
    }
  })
}

test('[MP37] everything one touches on a machine is 64 px or more, and Stop is in sight at every size without scrolling', async ({
  page,
}) => {
  await openMachine(page, 'main')
  await page.getByTestId('step-up').click()
  await page.getByTestId('move').click()
  for (const viewport of [
    { width: 1280, height: 800 },
    { width: 800, height: 1280 },
    { width: 390, height: 844 },
  ]) {
    await page.setViewportSize(viewport)
    const controls = page.getByTestId('machines').locator('button, header a')
    const small: string[] = []
    for (const control of await controls.all()) {
      const box = await control.boundingBox()
      if (box !== null && (box.width < TARGET_PX || box.height < TARGET_PX))
        small.push(`${await control.innerText()} ${JSON.stringify(box)}`)
    }
    expect(small, JSON.stringify(viewport)).toEqual([])
    for (const end of ['start', 'end'] as const) {
      await page.getByTestId('machines').evaluate((element, block) => element.scrollIntoView({ block }), end)
      await expect(page.getByTestId('stop')).toBeInViewport({ ratio: 0.99 })
    }
  }
})

test('[MP38] the last hour is drawn from what the relay has kept, and goes on', async ({ page }) => {
  await openMachine(page, 'second')
  await expect(page.getByTestId('hour')).toHaveAttribute('data-points', /^[1-9]/)
  await expect(page.getByTestId('hour').locator('svg path')).toHaveAttribute('d', /^M/)
})

const OBSTACLES: readonly {
  readonly obstacle: string
  readonly condition: string
  readonly words: string
  /** What a person does at the machine, and undoes. */
  readonly make: (controls: CarouselControls) => void
  readonly undo: (page: Page, controls: CarouselControls) => unknown
}[] = [
  {
    ...{ obstacle: 'manualMode', condition: 'manual', words: 'Turn its switch to remote' },
    make: (controls) => controls.setMode('manual'),
    undo: (_page, controls) => controls.setMode('remote'),
  },
  {
    ...{ obstacle: 'emergencyStop', condition: 'emergencyStop', words: 'Make sure nobody is in danger, then release it' },
    make: (controls) => controls.setEmergencyStop(true),
    undo: (_page, controls) => controls.setEmergencyStop(false),
  },
  {
    ...{ obstacle: 'alarm', condition: 'alarm', words: 'Clear its cause at the machine, then reset' },
    make: (controls) => controls.raiseAlarm(),
    undo: (page) => page.getByTestId('reset').click(),
  },
]

test('[MP39] manual mode, emergency stop and alarm: what keeps the machine from obeying and what to do is said, nothing is sent, and it ends when they do', async ({
  tablet,
  machinesFile,
}) => {
  const [clock, profile] = [createSystemClock(), builtInProfile('delta_as')]
  const carousel = createSimulatedCarousel({ clock, random: createSeededRandom(1), positions: 10, profile, wandering: 'never' })
  const simulator = createModbusSimulator(carousel)
  const port = await simulator.start({ host: '127.0.0.1', port: 0 })
  const address = { host: '127.0.0.1', port }
  const machine = { id: 'real', name: 'Carrusel', driver: 'modbus-tcp', address, positions: 10, pollMs: 100, options: MODBUS_LAYOUT }
  await writeFile(machinesFile, JSON.stringify({ machines: [machine] }))
  const relay = await startRelay(machinesFile)
  try {
    const page = tablet.pages()[0] ?? (await tablet.newPage())
    await page.goto(`${relay.origin}/#/machines/real`)
    await expect(page.getByTestId('machine-condition')).toHaveAttribute('data-condition', 'still')
    await page.getByTestId('step-up').click()
    for (const { obstacle, condition, words, make, undo } of OBSTACLES) {
      await expect(page.getByTestId('obstacle')).toHaveAttribute('data-obstacle', '')
      await expect(page.getByTestId('move')).toBeEnabled()
      const before = carousel.controls.commands().length
      // With the question on the screen: it goes away by itself, so that nobody confirms what cannot be.
      await page.getByTestId('move').click()
      await expect(page.getByTestId('confirm')).toBeVisible()
      make(carousel.controls)
      await expect(page.getByTestId('obstacle')).toHaveAttribute('data-obstacle', obstacle)
      await expect(page.getByTestId('obstacle')).toContainText(words)
      await expect(page.getByTestId('machine-condition')).toHaveAttribute('data-condition', condition)
      await expect(page.getByTestId('confirm')).toBeHidden()
      await expect(page.getByTestId('move')).toBeDisabled()
      await expect(page.getByTestId('stop')).toBeEnabled()
      if (obstacle !== 'manualMode') await expect(page.locator(`[data-testid=alarm][data-kind=${obstacle}]`)).toBeVisible()
      expect(carousel.controls.commands().length, obstacle).toBe(before)
      await undo(page, carousel.controls)
    }
    await expect(page.getByTestId('obstacle')).toHaveAttribute('data-obstacle', '')
    await page.getByTestId('move').click()
    await page.getByTestId('confirm-yes').click()
    await expect(page.getByTestId('machine')).toHaveAttribute('data-moving', 'true')
    expect(carousel.controls.commands().map(({ kind }) => kind)).toEqual(['reset', 'move'])
  } finally {
    await relay.stop()
    await simulator.stop()
  }
})

/** Those that have ended, whichever way. */
async function countCommands(relay: RelayProcess): Promise<number> {
  const response = await fetch(`${relay.origin}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } })
  const lines = (await response.text()).split('\n').filter((line) => line.includes('machine_commands_total{'))
  const counted = lines.filter((line) => !line.includes('unknown')).map((line) => Number(line.split(' ').at(-1)))
  expect(response.status).toBe(200)
  return counted.reduce((sum, count) => sum + count, 0)
}

async function findBarriers(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).withTags(RULES).analyze()
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join('; ')}`)
}
