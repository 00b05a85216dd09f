/**
 * A Chromium as a tablet would have it: a profile of its own, so that the service worker and the cache are real, and a film before
 * the camera. Flags keep it from talking to anything but the relay under test.
 */
import { chromium, type BrowserContext } from '@playwright/test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NO_CHROMIUM, obtainChromium } from '../../scripts/chromium.ts'
import { makeFilm, type FilmName } from './film.ts'

/** `unplugged`: no camera at all. `refused`: a camera, but the person says no. */
export type CameraScene = FilmName | 'unplugged' | 'refused'

export interface StationBrowserOptions {
  readonly camera: CameraScene
  /** Device pixels per CSS pixel. Default 1. */
  readonly deviceScaleFactor?: number
  readonly viewport?: { readonly width: number; readonly height: number }
  readonly colorScheme?: 'light' | 'dark'
  readonly locale?: string
  /** Chromium's own, above those every test has. */
  readonly flags?: readonly string[]
}

export interface StationBrowser {
  readonly context: BrowserContext
  close(): Promise<void>
}

const QUIET_FLAGS = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--no-default-browser-check',
  // The tab under test must run at full rate although another one is in front.
  '--disable-background-timer-throttling',
  '--disable-renderer-backgrounding',
  '--disable-backgrounding-occluded-windows',
]

export async function openStationBrowser(options: StationBrowserOptions): Promise<StationBrowser> {
  const executablePath = process.env['CHROMIUM_PATH'] ?? (await obtainChromium((line) => process.stderr.write(`${line}\n`)))
  if (executablePath === undefined) throw new Error(NO_CHROMIUM)
  const profile = await mkdtemp(join(tmpdir(), 'semblante-browser-'))
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    chromiumSandbox: process.getuid?.() !== 0,
    args: [...QUIET_FLAGS, ...(options.flags ?? []), ...(await toCameraFlags(options.camera))],
    deviceScaleFactor: options.deviceScaleFactor ?? 1,
    viewport: options.viewport ?? { width: 1280, height: 800 },
    colorScheme: options.colorScheme ?? 'light',
    locale: options.locale ?? 'en-GB',
  })
  return {
    context,
    async close() {
      await context.close()
      await rm(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

async function toCameraFlags(camera: CameraScene): Promise<readonly string[]> {
  if (camera === 'refused') return ['--use-fake-device-for-media-stream', '--deny-permission-prompts']
  const allowed = '--use-fake-ui-for-media-stream'
  if (camera === 'unplugged') return [allowed, '--use-fake-device-for-media-stream=device-count=0']
  return [allowed, '--use-fake-device-for-media-stream', `--use-file-for-fake-video-capture=${await makeFilm(camera)}`]
}
