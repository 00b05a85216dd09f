/** The code of each page by its name in the address, fetched when it is opened: a tablet that only reads faces never pays for the others. */
export const pageCode = {
  admin: () => import('./admin.ts'),
  design: () => import('./design.ts'),
  history: () => import('./history.ts'),
  live: () => import('./live.ts'),
  machines: () => import('./machines.ts'),
  model: () => import('./model-card.ts'),
  photo: () => import('./photo.ts'),
  responsible: () => import('./responsible.ts'),
  async settings() {
    // Part of what the page shows, fetched beside it; without it the other settings stand.
    const kiosk = import('./kiosk.ts').catch(() => undefined)
    const { settingsArea } = await import('./settings.ts')
    await kiosk
    return { settingsArea }
  },
  wall: () => import('./wall.ts'),
}
