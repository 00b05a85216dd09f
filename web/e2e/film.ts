/**
 * Films for the browser's fake camera: 640x480 motion JPEG, which is nothing but JPEG pictures (4:2:0) one after the other, played in a
 * loop. Made anew when this file changes, then kept. What the pictures should be read as is left to the tests.
 */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'

/** `pair`: the portrait twice, side by side. */
export type FilmName = 'portrait' | 'pair' | 'landscape' | 'wall'

export const FILM_SIZE = { width: 640, height: 480 } as const

const FIXTURES = fileURLToPath(new URL('../fixtures/', import.meta.url))
const CACHE_FOLDER = fileURLToPath(new URL('../../node_modules/.cache/semblante/films/', import.meta.url))
const FRAMES = 30
/** Pixels the picture sways to each side, so that it is a film and not a photo. */
const SWAY_PX = 4
const JPEG = { quality: 92, chromaSubsampling: '4:2:0' } as const

/** The portrait is 512x512 and fills the film's height; its face is at x 171-279, y 73-181 (web/fixtures/README.md). */
const PORTRAIT_SCALE = FILM_SIZE.height / 512
const PORTRAIT_LEFT = (FILM_SIZE.width - FILM_SIZE.height) / 2
const PORTRAIT_FACE = { left: 171, top: 73, right: 279, bottom: 181 } as const

/** Where the face is in the film `portrait`, on average over the sway, as fractions of the frame (not mirrored). */
export const KNOWN_FACE = {
  x: (PORTRAIT_LEFT + PORTRAIT_FACE.left * PORTRAIT_SCALE) / FILM_SIZE.width,
  y: (PORTRAIT_FACE.top * PORTRAIT_SCALE) / FILM_SIZE.height,
  width: ((PORTRAIT_FACE.right - PORTRAIT_FACE.left) * PORTRAIT_SCALE) / FILM_SIZE.width,
  height: ((PORTRAIT_FACE.bottom - PORTRAIT_FACE.top) * PORTRAIT_SCALE) / FILM_SIZE.height,
} as const

/** @returns the absolute path of the film. */
export async function makeFilm(name: FilmName): Promise<string> {
  const recipe = await readFile(fileURLToPath(import.meta.url))
  const path = join(CACHE_FOLDER, `${name}-${createHash('sha256').update(recipe).digest('hex').slice(0, 12)}.mjpeg`)
  if (existsSync(path)) return path
  await mkdir(CACHE_FOLDER, { recursive: true })
  const scene = await scenes[name]()
  const frames: Buffer[] = []
  for (let index = 0; index < FRAMES; index++) {
    const shift = Math.round(SWAY_PX * (1 + Math.sin((2 * Math.PI * index) / FRAMES)))
    frames.push(
      await sharp(scene)
        .extract({ left: shift, top: 0, ...FILM_SIZE })
        .jpeg(JPEG)
        .toBuffer(),
    )
  }
  // Another test may be making the same film.
  const part = `${path}.${process.pid}.part`
  await writeFile(part, Buffer.concat(frames))
  await rename(part, path)
  return path
}

/** A little wider than the film; the film is the part that sways. */
const SCENE_SIZE = { width: FILM_SIZE.width + 2 * SWAY_PX, height: FILM_SIZE.height } as const

const scenes: Readonly<Record<FilmName, () => Promise<Buffer>>> = {
  async portrait() {
    const portrait = await sharp(join(FIXTURES, 'astronaut.jpg')).resize(FILM_SIZE.height, FILM_SIZE.height).toBuffer()
    return await sharp({ create: { ...SCENE_SIZE, channels: 3, background: '#2b3440' } })
      .composite([{ input: portrait, left: PORTRAIT_LEFT + SWAY_PX, top: 0 }])
      .png()
      .toBuffer()
  },
  async pair() {
    const size = FILM_SIZE.width / 2
    const portrait = await sharp(join(FIXTURES, 'astronaut.jpg')).resize(size, size).toBuffer()
    const top = (FILM_SIZE.height - size) / 2
    return await sharp({ create: { ...SCENE_SIZE, channels: 3, background: '#2b3440' } })
      .composite([
        { input: portrait, left: SWAY_PX, top },
        { input: portrait, left: SWAY_PX + size, top },
      ])
      .png()
      .toBuffer()
  },
  landscape: () =>
    drawScene(`
    <defs>
      <linearGradient id="sky" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#5b8fd0"/><stop offset="1" stop-color="#dfeaf5"/></linearGradient>
      <filter id="grain"><feTurbulence type="fractalNoise" baseFrequency="0.035" numOctaves="4" seed="7"/><feColorMatrix values="0 0 0 0 0.2  0 0 0 0 0.3  0 0 0 0 0.1  0.6 0.6 0 0 -0.2"/></filter>
    </defs>
    <rect width="100%" height="60%" fill="url(#sky)"/>
    <path d="M0 260 L120 150 L230 240 L360 110 L520 250 L660 170 L660 480 L0 480 Z" fill="#6f7f86"/>
    <path d="M0 320 Q160 250 330 320 T660 300 L660 480 L0 480 Z" fill="#5d7a45"/>
    <rect y="300" width="100%" height="180" filter="url(#grain)"/>
    <circle cx="540" cy="80" r="34" fill="#fff3c4"/>`),
  wall: () =>
    drawScene(`
    <rect width="100%" height="100%" fill="#d8cfc0"/>
    <g stroke="#b9ae9b" stroke-width="2">${bricks()}</g>
    <rect x="70" y="70" width="150" height="110" fill="#7a4d2b"/><rect x="82" y="82" width="126" height="86" fill="#a7c2cf"/>
    <circle cx="360" cy="130" r="56" fill="#f7f4ec" stroke="#333" stroke-width="7"/>
    <path d="M360 130 L360 94 M360 130 L388 144" stroke="#333" stroke-width="5"/>
    <rect x="470" y="60" width="120" height="330" fill="#5c6b73"/>
    <g fill="#8fa0a8">${[0, 1, 2, 3].map((row) => `<rect x="480" y="${70 + row * 80}" width="100" height="66"/>`).join('')}</g>
    <rect x="90" y="300" width="300" height="18" fill="#8a6a45"/>
    <rect x="120" y="230" width="34" height="70" fill="#3f7d58"/><rect x="165" y="215" width="46" height="85" fill="#b0432f"/>
    <ellipse cx="300" cy="272" rx="46" ry="28" fill="#e1b04a"/>`),
}

function drawScene(shapes: string): Promise<Buffer> {
  const { width, height } = SCENE_SIZE
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${shapes}</svg>`
  return sharp(Buffer.from(svg)).flatten({ background: '#ffffff' }).png().toBuffer()
}

function bricks(): string {
  const lines: string[] = []
  for (let y = 0; y < SCENE_SIZE.height; y += 40) {
    lines.push(`<path d="M0 ${y} H${SCENE_SIZE.width}"/>`)
    for (let x = (y / 40) % 2 === 0 ? 0 : 40; x < SCENE_SIZE.width; x += 80) lines.push(`<path d="M${x} ${y} v40"/>`)
  }
  return lines.join('')
}
