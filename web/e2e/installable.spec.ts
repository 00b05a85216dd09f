import { appendFile, cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { startCountingProxy } from './counting-proxy.ts'
import { startRelayProcess } from './relay-process.ts'
import { openStationPage } from './station-page.ts'
import { expect, STATION, test } from './station-test.ts'

/** JavaScript and CSS of the page, its workers included; not onnxruntime's wasm with its loader, and not the networks. */
const SHELL_LIMIT_BYTES = 120_000
const FIRST_VISIT_LIMIT_BYTES = 4_200_000
/** A later visit asks whether the service worker changed, for a token, and talks to the relay; nothing of the page comes again. */
const LATER_VISIT_LIMIT_BYTES = 30_000

test('[IN1] Chromium finds nothing that keeps the page from being installed', async ({ station }) => {
  await station.page.waitForFunction(() => navigator.serviceWorker.controller !== null)
  const devtools = await station.page.context().newCDPSession(station.page)
  const { installabilityErrors } = await devtools.send('Page.getInstallabilityErrors')
  expect(installabilityErrors).toEqual([])
})

test('[IN2] the shell is at most 120 kB gzip', async () => {
  const entries = await readdir('dist', { recursive: true })
  const shell = entries.filter((name) => ['.js', '.mjs', '.css'].includes(extname(name)) && !name.includes('ort-'))
  const sizes = await Promise.all(shell.map(async (name) => gzipSync(await readFile(join('dist', name)), { level: 9 }).length))
  const total = sizes.reduce((sum, size) => sum + size, 0)
  process.stdout.write(`    shell: ${shell.length} files, ${total} bytes gzip\n`)
  expect(shell.length).toBeGreaterThan(1)
  expect(total).toBeLessThanOrEqual(SHELL_LIMIT_BYTES)
})

test('[IN3] a first visit takes at most 4.2 MB over the wire, a later one nothing of the page', async ({ tablet, relay }) => {
  const proxy = await startCountingProxy(relay.port)
  try {
    const page = tablet.pages()[0] ?? (await tablet.newPage())
    const station = await openStationPage(page, proxy.origin, STATION)
    await station.startCamera()
    await expect.poll(async () => (await station.reading()).emotion).toBe('happiness')
    await page.waitForFunction(() => navigator.serviceWorker.controller?.state === 'activated')
    const firstBytes = proxy.receivedBytes()

    // Away first, so that the old page's stream is not counted.
    await page.goto('about:blank')
    proxy.reset()
    await page.goto(`${proxy.origin}/`)
    await station.startCamera()
    await expect.poll(async () => (await station.reading()).emotion).toBe('happiness')
    const laterBytes = proxy.receivedBytes()
    process.stdout.write(`    over the wire: first visit ${firstBytes} bytes, later visit ${laterBytes} bytes\n`)
    expect(firstBytes).toBeGreaterThan(1_000_000)
    expect(firstBytes).toBeLessThanOrEqual(FIRST_VISIT_LIMIT_BYTES)
    expect(laterBytes).toBeLessThanOrEqual(LATER_VISIT_LIMIT_BYTES)
  } finally {
    await proxy.stop()
  }
})

test('[IN4] a new version is offered, never forced, and taken when the person says so', async ({ tablet }) => {
  const folder = await mkdtemp(join(tmpdir(), 'semblante-dist-'))
  await cp('dist', folder, { recursive: true })
  let relay = await startRelayProcess({ environment: { STATIC_DIR: folder } })
  try {
    const page = tablet.pages()[0] ?? (await tablet.newPage())
    await openStationPage(page, relay.origin, STATION)
    await page.waitForFunction(() => navigator.serviceWorker.controller?.state === 'activated')
    await expect(page.getByTestId('update-prompt')).toBeHidden()
    await page.evaluate(() => Reflect.set(window, 'isSameDocument', true))

    await relay.stop()
    await appendFile(join(folder, 'sw.js'), '\n// a later version\n')
    for (const name of ['sw.js.br', 'sw.js.gz']) await rm(join(folder, name), { force: true })
    relay = await startRelayProcess({ port: relay.port, environment: { STATIC_DIR: folder } })
    await page.evaluate(async () => await (await navigator.serviceWorker.ready).update())

    await expect(page.getByTestId('update-prompt')).toBeVisible()
    expect(await page.evaluate(() => Reflect.get(window, 'isSameDocument'))).toBe(true)
    await page.getByTestId('update-apply').click()
    await page.waitForFunction(() => Reflect.get(window, 'isSameDocument') === undefined)
    await expect(page.getByTestId('update-prompt')).toBeHidden()
  } finally {
    await relay.stop()
    await rm(folder, { recursive: true, force: true })
  }
})
