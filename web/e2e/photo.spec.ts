import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Download, Page } from '@playwright/test'
import sharp from 'sharp'
import { EMOTIONS } from '#shared/model/emotions'
import { overlap } from './station-page.ts'
import { expect, test } from './station-test.ts'

const PORTRAIT = fileURLToPath(new URL('../fixtures/astronaut.jpg', import.meta.url))
/** Where its face is (web/fixtures/README.md), as fractions. */
const PORTRAIT_FACE = { x: 171 / 512, y: 73 / 512, width: 108 / 512, height: 108 / 512 }

interface DroppedFile {
  readonly name: string
  readonly type: string
  readonly base64: string
}

interface ExportedPhotos {
  readonly model: string
  readonly files: readonly {
    readonly name: string
    readonly kind: string
    readonly width: number
    readonly height: number
    readonly seconds?: number
    readonly samples: readonly {
      readonly seconds: number
      readonly faces: readonly {
        readonly emotion: string
        readonly certain: boolean
        readonly box: typeof PORTRAIT_FACE
        readonly probabilities: Readonly<Record<string, number>>
      }[]
    }[]
  }[]
}

test('[PH1] photo drop: read on the page with boxes, turned as EXIF says, exported as JSON, CSV and PNG; a broken file says so in words', async ({
  station,
  relay,
}) => {
  const { page } = station
  await station.startCamera()
  await expect.poll(async () => (await station.reading()).emotion).toBe('happiness')
  const requests: string[] = []
  page.on('request', (request) => {
    if (request.method() !== 'GET') requests.push(`${request.method()} ${request.url()}`)
  })
  const turned = await sharp(PORTRAIT).rotate(90).withMetadata({ orientation: 8 }).jpeg().toBuffer()
  // Dropped on the live page: that opens the photo page, and the camera goes on being read.
  await drop(page, [
    { name: '=portrait.jpg', type: 'image/jpeg', base64: (await readFile(PORTRAIT)).toString('base64') },
    { name: 'turned.jpg', type: 'image/jpeg', base64: turned.toString('base64') },
    { name: 'broken.jpg', type: 'image/jpeg', base64: Buffer.from('no picture at all').toString('base64') },
    { name: 'notes.txt', type: 'text/plain', base64: Buffer.from('hello').toString('base64') },
  ])
  await expect(page).toHaveURL(`${relay.origin}/#/photo`)
  const items = page.getByTestId('photo-item')
  await expect(items).toHaveCount(4)
  for (const index of [0, 1]) {
    await expect(items.nth(index).getByTestId('photo-face')).toHaveAttribute('data-emotion', 'happiness')
    await expect(items.nth(index).getByTestId('photo-box')).toHaveCount(1)
  }
  await expect(items.nth(2).getByTestId('photo-problem')).toHaveAttribute('data-problem', 'undecodable')
  await expect(items.nth(3).getByTestId('photo-problem')).toHaveAttribute('data-problem', 'kind')
  expect((await station.reading()).emotion, 'the camera meanwhile').toBe('happiness')

  const json: ExportedPhotos = JSON.parse(await save(page, 'save-json'))
  expect(json.files.map(({ name }) => name)).toEqual(['=portrait.jpg', 'turned.jpg'])
  for (const { kind, width, height, samples } of json.files) {
    expect([kind, width, height, samples.length]).toEqual(['picture', 512, 512, 1])
    const [face] = samples[0]?.faces ?? []
    expect(face).toMatchObject({ emotion: 'happiness', certain: true })
    expect(overlap(face?.box ?? { x: 0, y: 0, width: 0, height: 0 }, PORTRAIT_FACE)).toBeGreaterThanOrEqual(0.5)
    expect(Object.keys(face?.probabilities ?? {})).toEqual([...EMOTIONS])
  }
  const [head, first, second, ...rest] = (await save(page, 'save-csv'))
    .replace(/^\uFEFF/, '')
    .trimEnd()
    .split('\r\n')
  expect(head?.split(',').slice(0, 4)).toEqual(['file', 'kind', 'seconds', 'face'])
  expect(first?.startsWith("'=portrait.jpg,picture,0,")).toBe(true)
  expect(second?.split(',')).toHaveLength(head?.split(',').length ?? 0)
  expect(rest).toEqual([])

  const png = await download(page, () => items.first().getByTestId('save-picture').click())
  const { data, info } = await sharp(await png.path())
    .raw()
    .toBuffer({ resolveWithObject: true })
  expect([png.suggestedFilename(), info.width, info.height]).toEqual(['=portrait-semblante.png', 512, 512])
  const plain = await sharp(PORTRAIT).raw().toBuffer()
  const channels = info.channels
  let changed = 0
  for (let pixel = 0; pixel < 512 * 512; pixel += 1) {
    if (Math.abs((data[pixel * channels] ?? 0) - (plain[pixel * 3] ?? 0)) > 40) changed += 1
  }
  expect(changed, 'pixels that the box and its name cover').toBeGreaterThan(500)
  expect(requests, 'what was sent').toEqual([])

  // Left and opened again: nothing is kept.
  await page.goto(`${relay.origin}/#/settings`)
  await page.goto(`${relay.origin}/#/photo`)
  await expect(page.getByTestId('photo-input')).toBeAttached()
  await expect(items).toHaveCount(0)
})

test('[PH2] a video is read step by step with progress, and amounts to a timeline and shares; stopping keeps what was read', async ({
  station,
  relay,
}) => {
  const { page } = station
  await page.goto(`${relay.origin}/#/photo`)
  const film = await recordFilm(page, (await readFile(PORTRAIT)).toString('base64'))
  await page.evaluate(() => {
    // Every value that the progress bar shows, however short.
    const shown: number[] = []
    Reflect.set(window, 'shownProgress', shown)
    new MutationObserver(() => {
      const value = document.querySelector('[data-testid="film-progress"]')
      if (value instanceof HTMLProgressElement) shown.push(value.value)
    }).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ['value'] })
  })
  await drop(page, [film])
  const item = page.getByTestId('photo-item')
  await expect(item).toHaveAttribute('data-state', 'read', { timeout: 90_000 })
  const progress: number[] = await page.evaluate(() => Reflect.get(window, 'shownProgress'))
  expect(progress.some((value) => value > 0 && value < 1)).toBe(true)
  expect(progress).toEqual([...progress].sort((one, other) => one - other))

  const json: ExportedPhotos = JSON.parse(await save(page, 'save-json'))
  const [exported] = json.files
  expect(exported).toMatchObject({ name: film.name, kind: 'film' })
  expect(exported?.seconds).toBeGreaterThan(1.5)
  expect(exported?.samples.length).toBeGreaterThanOrEqual(8)
  const marks = exported?.samples.map(({ faces }) => faces[0]?.emotion ?? 'none') ?? []
  // The second half of the film shows nobody.
  expect(marks[0]).toBe('happiness')
  expect(marks.at(-1)).toBe('none')
  const shares = item.getByTestId('film-share')
  expect(await shares.evaluateAll((elements) => elements.map((element) => element.getAttribute('data-emotion')).sort())).toEqual(
    expect.arrayContaining(['happiness', 'none']),
  )
  await item.getByTestId('film-moment').fill('0.2')
  await expect(item.getByTestId('photo-box')).toHaveAttribute('data-emotion', 'happiness')

  await page.getByTestId('photo-clear').click()
  await drop(page, [film])
  await item.getByTestId('photo-box').waitFor()
  const stop = item.getByTestId('film-stop')
  if (await stop.isVisible()) await stop.click().catch(() => undefined)
  await expect(item).toHaveAttribute('data-state', 'read')
  await expect(page.getByTestId('save-csv')).toBeEnabled()
})

test('[PH3] a photo shared from another app is read without reaching the relay, offline too, and deleted when taken', async ({
  station,
  relay,
  tablet,
}) => {
  await station.page.waitForFunction(() => navigator.serviceWorker.controller?.state === 'activated')
  await station.page.close()
  await relay.stop()
  // The system's share sheet posts a form; so does a page of another origin.
  const sharer = await tablet.newPage()
  await sharer.setContent(
    `<form method="post" enctype="multipart/form-data" action="${relay.origin}/photo"><input type="file" name="files" /><button>share</button></form>`,
  )
  await sharer.locator('input').setInputFiles(PORTRAIT)
  await sharer.locator('button').click()
  await expect(sharer.getByTestId('photo-face')).toHaveAttribute('data-emotion', 'happiness')
  await expect(sharer).toHaveURL(`${relay.origin}/#/photo`)
  expect(await sharer.evaluate(async () => await caches.has('semblante-shared'))).toBe(false)

  // The same address once more: there is nothing left, and the page says so.
  await sharer.goto(`${relay.origin}/#/photo/shared`)
  await expect(sharer.getByTestId('photo-missed')).toBeVisible()
})

async function drop(page: Page, files: readonly DroppedFile[]): Promise<void> {
  await page.evaluate((dropped) => {
    const transfer = new DataTransfer()
    for (const { name, type, base64 } of dropped) {
      transfer.items.add(new File([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], name, { type }))
    }
    for (const kind of ['dragenter', 'dragover', 'drop']) {
      document.body.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: transfer }))
    }
  }, files)
}

/** Two seconds as a browser records them, without an index and without a length: one of the portrait, one of nobody. */
async function recordFilm(page: Page, portrait: string): Promise<DroppedFile> {
  const base64 = await page.evaluate(async (picture) => {
    const image = await createImageBitmap(new Blob([Uint8Array.from(atob(picture), (letter) => letter.charCodeAt(0))]))
    const canvas = document.createElement('canvas')
    canvas.width = 512
    canvas.height = 512
    const context = canvas.getContext('2d')
    const recorder = new MediaRecorder(canvas.captureStream(15), { mimeType: 'video/webm;codecs=vp8', videoBitsPerSecond: 3_000_000 })
    const parts: Blob[] = []
    recorder.ondataavailable = ({ data }) => parts.push(data)
    const ended = new Promise((resolve) => (recorder.onstop = resolve))
    recorder.start()
    const startedAt = performance.now()
    await new Promise<void>((resolve) => {
      const draw = (): void => {
        const elapsed = performance.now() - startedAt
        if (context !== null && elapsed < 1000) context.drawImage(image, Math.sin(elapsed / 100), 0)
        else if (context !== null) {
          context.fillStyle = `rgb(60 70 ${(elapsed / 10) % 60})`
          context.fillRect(0, 0, 512, 512)
        }
        if (elapsed < 2200) requestAnimationFrame(draw)
        else resolve()
      }
      draw()
    })
    recorder.stop()
    await ended
    const bytes = new Uint8Array(await new Blob(parts).arrayBuffer())
    let text = ''
    for (const byte of bytes) text += String.fromCharCode(byte)
    return btoa(text)
  }, portrait)
  return { name: 'film.webm', type: 'video/webm', base64 }
}

async function save(page: Page, testId: string): Promise<string> {
  const saved = await download(page, () => page.getByTestId(testId).click())
  return await readFile(await saved.path(), 'utf8')
}

async function download(page: Page, act: () => Promise<void>): Promise<Download> {
  const [saved] = await Promise.all([page.waitForEvent('download'), act()])
  return saved
}
