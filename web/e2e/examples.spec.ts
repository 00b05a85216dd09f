import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { startRelayProcess } from './relay-process.ts'
import { openStationPage } from './station-page.ts'
import { expect, STATION, test } from './station-test.ts'

/** A page on a server of its own, as an integrator would have it. */
async function servePage(html: string | Buffer) {
  const server = createServer((_request, response) => response.setHeader('Content-Type', 'text/html').end(html))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The page has no port.')
  return { origin: `http://127.0.0.1:${address.port}`, close: () => server.close() }
}

test('[EX1] the example page of another origin shows the stream once that origin is allowed', async ({ tablet }) => {
  const example = await servePage(await readFile('examples/browser/index.html'))
  const relay = await startRelayProcess({ environment: { ALLOWED_ORIGINS: example.origin } })
  try {
    const station = await openStationPage(tablet.pages()[0] ?? (await tablet.newPage()), relay.origin, STATION)
    await station.startCamera()
    const page = await tablet.newPage()
    await page.goto(`${example.origin}/?relay=${relay.origin}`)
    await expect(page.locator('#screen')).toHaveText(new RegExp(`^${STATION}: happiness \\d+ %$`))
  } finally {
    await relay.stop()
    example.close()
  }
})

test('[EX2] a page of an origin that is not allowed gets no token and no stream', async ({ tablet, relay }) => {
  const example = await servePage('<!doctype html><title>elsewhere</title>')
  try {
    const page = await tablet.newPage()
    await page.goto(`${example.origin}/`)
    const outcome = await page.evaluate(async (origin) => {
      const token = await fetch(`${origin}/api/auth/acquire-session`, { method: 'POST' }).then(
        () => 'answered',
        () => 'refused',
      )
      const socket = await new Promise((resolve) => {
        const opened = new WebSocket(`${origin.replace('http', 'ws')}/relay`, 'semblante.v1')
        opened.onopen = () => resolve('opened')
        opened.onerror = () => resolve('refused')
      })
      return { token, socket }
    }, relay.origin)
    expect(outcome).toEqual({ token: 'refused', socket: 'refused' })
  } finally {
    example.close()
  }
})
