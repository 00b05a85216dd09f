/**
 * The page printed in VisionAI's own document, word for word but for the port, in a real browser: skipped unless SEMBLANTE_DOCUMENTS names the
 * folder of the older systems' documents.
 */
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startRelayProcess } from './relay-process.ts'
import { expect, test } from './station-test.ts'

const folder = process.env['SEMBLANTE_DOCUMENTS']
const PORTRAIT = fileURLToPath(new URL('../fixtures/astronaut.jpg', import.meta.url))

async function listen(html: string): Promise<{ readonly port: number; close(): void }> {
  const server = createServer((_request, response) => response.setHeader('Content-Type', 'text/html; charset=utf-8').end(html))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The page has no port.')
  return { port: address.port, close: () => server.close() }
}

/** A port that was free a moment ago. */
async function findFreePort(): Promise<number> {
  const { port, close } = await listen('')
  close()
  return port
}

test('[VD71] VisionAI’s page shows the emotion of a chosen picture', async ({ tablet }) => {
  test.skip(folder === undefined, 'SEMBLANTE_DOCUMENTS names no folder')
  const document = await readFile(join(folder ?? '', 'visionai-websocket.es.md'), 'utf8')
  const [, html = ''] = /```html\n([^]*?)```/.exec(document) ?? []
  expect(html).toContain('new WebSocket')
  const visionPort = await findFreePort()
  const elsewhere = await listen(html.replaceAll('localhost:8000', `127.0.0.1:${visionPort}`))
  const origin = `http://127.0.0.1:${elsewhere.port}`
  const relay = await startRelayProcess({ environment: { COMPAT_PORTS: `${visionPort}:vision`, ALLOWED_ORIGINS: origin } })
  try {
    const page = await tablet.newPage()
    const greeted = page.waitForEvent('console', (line) => line.text() === 'Bienvenido a VisionAI WebSocket Server')
    await page.goto(origin)
    await greeted
    await page.locator('#imageInput').setInputFiles(PORTRAIT)
    await page.getByRole('button', { name: 'Predecir' }).click()
    await expect(page.locator('#result')).toContainText('Emoción: happy')
    await expect(page.locator('#result')).toContainText(/Confianza: \d{2,3}\.\d\d%/)
    await expect(page.locator('#result')).toContainText(/Tiempo: \d+ms/)
  } finally {
    await relay.stop()
    elsewhere.close()
  }
})
