import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Page } from '@playwright/test'
import { acquireToken } from '#shared/client/acquire-session'
import { encodeBinaryFrame } from '#shared/protocol/binary-frame'
import { openNodeNetworks } from '#shared/testing/node-networks'
import { openTestClient } from '#shared/testing/test-client'
import { createFacePipeline, type ReadFace } from '#shared/vision/face-pipeline'
import type { Pixels } from '#shared/vision/geometry'
import type { Prediction } from '#shared/vision/picture-reading'
import { expect, test } from './station-test.ts'

const PORTRAIT = fileURLToPath(new URL('../fixtures/astronaut.jpg', import.meta.url))
const MODELS = fileURLToPath(new URL('../public/models', import.meta.url))

test('[EE20] the relay reads a picture as the tablet does, to a thousandth: the browser decodes, the wasm runtime runs', async ({
  station,
  relay,
}) => {
  const file = await readFile(PORTRAIT)
  const [onTablet] = await readAsTablet(await decodeInBrowser(station.page, file))
  const [onRelay] = (await askRelay(relay.origin, await acquireToken(relay.origin), file)).faces
  expect(onRelay?.emotion).toBe(onTablet?.emotion)
  const differences = Object.values(onRelay?.probabilities ?? {}).map((value, index) =>
    Math.abs(value - (onTablet?.probabilities[index] ?? Number.NaN)),
  )
  expect(differences).toHaveLength(8)
  expect(Math.max(...differences)).toBeLessThan(1e-3)
})

/** As the page's worker gets the pixels of a frame. */
async function decodeInBrowser(page: Page, file: Buffer): Promise<Pixels> {
  const { width, height, base64 } = await page.evaluate(async (source) => {
    const blob = new Blob([Uint8Array.from(atob(source), (letter) => letter.charCodeAt(0))], { type: 'image/jpeg' })
    const bitmap = await createImageBitmap(blob)
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d', { willReadFrequently: true, alpha: false })
    if (context === null) throw new Error('no canvas')
    context.drawImage(bitmap, 0, 0)
    const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height)
    let text = ''
    for (let at = 0; at < data.length; at += 8192) text += String.fromCharCode(...data.subarray(at, at + 8192))
    return { width: bitmap.width, height: bitmap.height, base64: btoa(text) }
  }, file.toString('base64'))
  return { width, height, data: Uint8Array.from(Buffer.from(base64, 'base64')) }
}

async function readAsTablet(pixels: Pixels): Promise<readonly ReadFace[]> {
  await using opened = await openNodeNetworks({ detector: `${MODELS}/blazeface.onnx`, modelsFolder: MODELS })
  const pipeline = createFacePipeline({ networks: opened.networks, manifest: opened.manifest, maxFaces: 8, now: () => 0 })
  return (await pipeline.analyse(pixels, 1_000)).faces
}

async function askRelay(origin: string, token: string, file: Buffer): Promise<Prediction> {
  await using client = await openTestClient(`${origin.replace('http', 'ws')}/relay?token=${token}`)
  client.send(encodeBinaryFrame(JSON.stringify({ type: 'request', id: 'picture', to: 'vision', method: 'predict' }), file))
  const answer = await client.nextOf('replied')
  const prediction: Prediction = JSON.parse(JSON.stringify(answer['data']))
  return prediction
}
