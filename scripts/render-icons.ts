/**
 * Renders the icons the manifest names: the app's from `web/public/icons/logo.svg`, the shortcuts' from the line icons of the page
 * (web/src/ui/widgets/Icon.svelte). Run it after changing either; the PNGs are committed.
 */
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

// Shortcuts: a line icon in the middle, as the system shows them in its menu.
const SHORTCUTS = { live: 'live', photo: 'photo', wall: 'wall', machines: 'machines' } as const
const SHORTCUT_PX = 192
/** The line icons' own grid. */
const GRID = 24
const LINE = '#f7f5ef'

const page = await readFile('web/src/ui/widgets/Icon.svelte', 'utf8')
for (const [name, icon] of Object.entries(SHORTCUTS)) {
  const path = new RegExp(`\\b${icon}:\\s*'([^']+)'`).exec(page)?.[1]
  if (path === undefined) throw new Error(`Icon.svelte has no ${icon}`)
  const drawing = `<svg xmlns="http://www.w3.org/2000/svg" width="${SHORTCUT_PX}" height="${SHORTCUT_PX}" viewBox="-10 -10 ${GRID + 20} ${GRID + 20}">
    <circle cx="12" cy="12" r="22" fill="${BACKGROUND}"/>
    <path d="${path}" fill="none" stroke="${LINE}" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round"/></svg>`
  await sharp(Buffer.from(drawing))
    .png({ compressionLevel: 9, palette: true })
    .toFile(join(FOLDER, `shortcut-${name}.png`))
}
