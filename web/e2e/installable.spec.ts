import { appendFile, cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { startCountingProxy } from './counting-proxy.ts'
import { startRelayProcess } from './relay-process.ts'
import { openStationPage } from './station-page.ts'
import { expect, STATION, test } from './station-test.ts'

/** JavaScript and CSS of the page, its workers included, gzip. */
const SHELL_LIMIT_BYTES = 120_000
/** onnxruntime's own JavaScript, which comes with its wasm. */
const RUNTIME_LIMIT_BYTES = 16_500
/** A page that is fetched when somebody opens it: its JavaScript and CSS. */
const LATER_PAGE_LIMIT_BYTES = 25_000
/** Above that for what a page has to say more: the machine pages, every interlock and error in four languages. */
const LATER_PAGE_LIMITS: ReadonlyMap<string, number> = new Map([['machines', 28_500]])
const FIRST_VISIT_LIMIT_BYTES = 4_200_000
/** A later visit asks whether the service worker changed, for a token, and talks to the relay; nothing of the page comes again. */
const LATER_VISIT_LIMIT_BYTES = 30_000

test('[IN1] Chromium finds nothing that keeps the page from being installed', async ({ station }) => {
  await station.page.waitForFunction(() => navigator.serviceWorker.controller !== null)
  const devtools = await station.page.context().newCDPSession(station.page)
  const { installabilityErrors } = await devtools.send('Page.getInstallabilityErrors')
  expect(installabilityErrors).toEqual([])
})

test('[IN2] the shell is at most 120 kB gzip, beside it the runtime and each page that is fetched later have bounds of their own', async () => {
  const files = (await readdir('dist', { recursive: true })).filter((name) => ['.js', '.mjs', '.css'].includes(extname(name)))
  const later = await listLaterPages(files)
  const laterFiles = [...later.values()].flat()
  const runtime = files.filter((name) => name.includes('ort.'))
  const shell = files.filter((name) => !name.includes('/ort-') && !runtime.includes(name) && !laterFiles.includes(name))
  const sizes = { shell: await zippedSize(shell), runtime: await zippedSize(runtime) }
  process.stdout.write(`    gzip: shell ${sizes.shell} bytes in ${shell.length} files, runtime ${sizes.runtime}\n`)
  expect(shell.length).toBeGreaterThan(1)
  expect(sizes.shell).toBeLessThanOrEqual(SHELL_LIMIT_BYTES)
  expect(sizes.runtime).toBeLessThanOrEqual(RUNTIME_LIMIT_BYTES)
  expect(later.size, 'pages fetched later').toBeGreaterThan(0)
  for (const [page, parts] of later) {
    const size = await zippedSize(parts)
    process.stdout.write(`    gzip: ${page} ${size} bytes, fetched when it is opened\n`)
    expect(size, page).toBeLessThanOrEqual(LATER_PAGE_LIMITS.get(page) ?? LATER_PAGE_LIMIT_BYTES)
  }
})

/** What the page's entry and its worker import only when asked to, with the style sheet of the same name. */
async function listLaterPages(files: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const [, entry = ''] = /src="\/(assets\/[^"]+\.js)"/.exec(await readFile('dist/index.html', 'utf8')) ?? []
  const worker = files.find((name) => name.includes('vision-worker')) ?? ''
  const code = `${await readFile(join('dist', entry), 'utf8')}${await readFile(join('dist', worker), 'utf8')}`
  const names = [...code.matchAll(/import\([`'"]\.\/([\w-]+)-[\w-]{8}\.js[`'"]\)/g)].map(([, name = '']) => name)
  const isPart = (file: string, name: string): boolean => new RegExp(`^assets/${name}-[\\w-]{8}\\.(js|css)$`).test(file)
  return new Map(names.map((name) => [name, files.filter((file) => isPart(file, name))]))
}

async function zippedSize(files: readonly string[]): Promise<number> {
  const sizes = await Promise.all(files.map(async (name) => gzipSync(await readFile(join('dist', name)), { level: 9 }).length))
  return sizes.reduce((sum, size) => sum + size, 0)
}

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
