/** What a person sees on the page, as values: the only file of the tests that knows the page's marks (`data-testid`). */
import type { Page } from '@playwright/test'
import type { ConsentMode, Purpose } from '#shared/model/consent'
import type { Box } from '#shared/protocol/emotion'

export interface ShownFace {
  readonly id: number
  /** Fractions of the frame, not mirrored. */
  readonly box: Box
  readonly emotion: string
  readonly confidence: number
}

export interface ShownReading {
  /** One of the eight classes, `unsure`, or `none` when nobody is in view. */
  readonly emotion: string
  readonly confidence: number
}

/** What the person chooses at the first start; sharing each reading for a demonstration, where a test does not care. */
export interface StationChoice {
  readonly mode: ConsentMode
  readonly purpose: Purpose
}

const ANY_CHOICE: StationChoice = { mode: 'readings', purpose: 'demonstration' }

export interface StationPage {
  readonly page: Page
  /** Says what is shared and what for, as far as nobody has, and turns the camera on, unless the page did so by itself. */
  startCamera(choice?: StationChoice): Promise<void>
  reading(): Promise<ShownReading>
  faces(): Promise<readonly ShownFace[]>
  /** `open` when the relay hears this tablet. */
  linkState(): Promise<string>
}

/** @param page not opened yet; the station's name is put in place before the page's own scripts run. */
export async function openStationPage(page: Page, origin: string, station: string): Promise<StationPage> {
  await page.addInitScript((name) => {
    // An empty tab has no storage.
    if (location.protocol !== 'about:') localStorage.setItem('semblante.station', name)
  }, station)
  await page.goto(`${origin}/`)
  return {
    page,
    async startCamera(choice = ANY_CHOICE) {
      const start = page.getByTestId('camera-start')
      const reading = page.getByTestId('reading-emotion')
      await start.or(reading).first().waitFor()
      if (!(await start.isVisible())) return
      for (const option of [`consent-${choice.mode}`, `purpose-${choice.purpose}`]) {
        const radio = page.getByTestId(option)
        if (await radio.isVisible()) await radio.check()
      }
      await start.click()
    },
    async reading() {
      const element = page.getByTestId('reading-emotion').first()
      const [emotion, confidence] = await Promise.all([element.getAttribute('data-emotion'), element.getAttribute('data-confidence')])
      return { emotion: emotion ?? '', confidence: Number(confidence) }
    },
    async faces() {
      return parseFaces((await page.getByTestId('face-box').first().getAttribute('data-faces')) ?? '[]')
    },
    async linkState() {
      return (await page.getByTestId('link-state').first().getAttribute('data-state')) ?? ''
    },
  }
}

/** So many pictures of the camera later. */
export function waitForPictures(page: Page, count: number): Promise<void> {
  return page.evaluate(
    (wanted) =>
      new Promise<void>((resolve) => {
        const video = document.querySelector('video')
        let seen = 0
        const onPicture = (): void => {
          seen += 1
          if (seen >= wanted) resolve()
          else video?.requestVideoFrameCallback(onPicture)
        }
        onPicture()
      }),
    count,
  )
}

/** Intersection over union, 0 to 1. */
export function overlap(a: Box, b: Box): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x)
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y)
  const common = Math.max(0, width) * Math.max(0, height)
  return common / (a.width * a.height + b.width * b.height - common)
}

function parseFaces(text: string): readonly ShownFace[] {
  const faces: unknown = JSON.parse(text)
  if (!Array.isArray(faces) || !faces.every(isShownFace)) throw new Error(`data-faces holds no faces: ${text}`)
  return faces
}

function isShownFace(value: unknown): value is ShownFace {
  return typeof value === 'object' && value !== null && 'id' in value && 'box' in value && 'emotion' in value && 'confidence' in value
}
