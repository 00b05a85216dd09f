/** Renders the icons the manifest names from `web/public/icons/logo.svg`. Run it after changing the logo; the PNGs are committed. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'

const FOLDER = 'web/public/icons'
const BACKGROUND = '#174a4c'
/** A maskable icon keeps what matters inside the central circle of 80 % (W3C manifest, section on icon masks). */
const MASKABLE_SCALE = 0.86

const logo = await readFile(join(FOLDER, 'logo.svg'))

async function render(name: string, sizePx: number): Promise<void> {
  await sharp(logo, { density: 300 }).resize(sizePx, sizePx).png({ compressionLevel: 9, palette: true }).toFile(join(FOLDER, name))
}

async function renderFilled(name: string, sizePx: number, scale: number): Promise<void> {
  const innerPx = Math.round(sizePx * scale)
  const inner = await sharp(logo, { density: 300 }).resize(innerPx, innerPx).png().toBuffer()
  await sharp({ create: { width: sizePx, height: sizePx, channels: 4, background: BACKGROUND } })
    .composite([{ input: inner, gravity: 'centre' }])
    .png({ compressionLevel: 9, palette: true })
    .toFile(join(FOLDER, name))
}

await render('icon-192.png', 192)
await render('icon-512.png', 512)
await renderFilled('maskable-512.png', 512, MASKABLE_SCALE)
// iOS rounds the corners itself and shows transparency as black.
await renderFilled('apple-touch-icon.png', 180, 1)
