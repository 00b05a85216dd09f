/** Milliseconds per face of both emotion networks in a real Chromium, each in its own runtime on one wasm thread. */
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from '@playwright/test'
import { obtainChromium } from '../../scripts/chromium.ts'
import { humanModelFolder } from './human-emotion.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
/** Never asked of the network: every request is answered from this machine's files. */
const ORIGIN = 'http://localhost:9'
const TYPES: Readonly<Record<string, string>> = { mjs: 'text/javascript', js: 'text/javascript', json: 'application/json', wasm: 'application/wasm' }
const RUNS = 200

export interface BrowserTimes {
  readonly browser: string
  readonly ours: FaceTime
  readonly human: FaceTime
}

/** Milliseconds per face. */
export interface FaceTime {
  readonly median: number
  /** A tenth of the runs took at most this: what a face costs while nothing else wants the core. */
  readonly fastestTenth: number
}

/** @returns null where no Chromium can be had. */
export async function timeInBrowser(networkFile: string, dims: readonly number[]): Promise<BrowserTimes | null> {
  const executablePath = await obtainChromium((line) => {
    console.error(line)
  })
  if (executablePath === undefined) return null
  const args = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run']
  const isRoot = process.getuid?.() === 0
  const browser = await chromium.launch({ executablePath, args: isRoot ? [...args, '--no-sandbox'] : args })
  try {
    const page = await browser.newPage()
    await page.route('**/*', async (route) => {
      const { pathname } = new URL(route.request().url())
      const file = pathname === '/network.onnx' ? networkFile : await findFile(pathname)
      if (file === null) return route.fulfill({ status: pathname === '/' ? 200 : 404, contentType: 'text/html', body: '<!doctype html>' })
      return route.fulfill({ body: await readFile(file), contentType: TYPES[pathname.split('.').at(-1) ?? ''] ?? 'application/octet-stream' })
    })
    await page.goto(ORIGIN)
    for (const name of ['core/dist/tf-core.min.js', 'converter/dist/tf-converter.min.js', 'backend-wasm/dist/tf-backend-wasm.min.js']) {
      await page.addScriptTag({ url: `/tfjs-${name}` })
    }
    const ours = await page.evaluate<FaceTime>(timeOurs(dims))
    const human = await page.evaluate<FaceTime>(TIME_HUMAN)
    return { browser: `Chromium ${browser.version()}`, ours, human }
  } finally {
    await browser.close()
  }
}

async function findFile(pathname: string): Promise<string | null> {
  if (pathname.startsWith('/tfjs-')) return join(root, 'node_modules/@tensorflow', pathname)
  if (pathname.startsWith('/human/')) return join(humanModelFolder(), pathname.slice('/human/'.length))
  if (!pathname.startsWith('/ort/')) return null
  return join(dirname(fileURLToPath(import.meta.resolve('onnxruntime-web/wasm'))), pathname.slice('/ort/'.length))
}

/** Text, because it runs in the page: 20 runs to warm up, then a `FaceTime`. */
const TIMES = `async (run) => {
  for (let index = 0; index < 20; index += 1) await run()
  const times = []
  for (let index = 0; index < ${String(RUNS)}; index += 1) { const start = performance.now(); await run(); times.push(performance.now() - start) }
  times.sort((a, b) => a - b)
  return { median: times[times.length >> 1], fastestTenth: times[Math.floor(times.length / 10)] }
}`

function timeOurs(dims: readonly number[]): string {
  const length = dims.reduce((product, each) => product * each, 1)
  return `(async () => {
    const ort = await import('/ort/ort.wasm.bundle.min.mjs')
    ort.env.wasm.numThreads = 1
    ort.env.wasm.wasmPaths = '/ort/'
    const bytes = new Uint8Array(await (await fetch('/network.onnx')).arrayBuffer())
    const session = await ort.InferenceSession.create(bytes)
    const input = { [session.inputNames[0]]: new ort.Tensor('float32', new Float32Array(${String(length)}).map(() => Math.random()), ${JSON.stringify(dims)}) }
    return (${TIMES})(() => session.run(input))
  })()`
}

const TIME_HUMAN = `(async () => {
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false)
  tf.wasm.setWasmPaths('/tfjs-backend-wasm/dist/')
  await tf.setBackend('wasm')
  const model = await tf.loadGraphModel('/human/emotion.json')
  const input = tf.randomUniform([1, 64, 64, 1], -1, 1)
  return (${TIMES})(async () => { const output = model.execute(input); await output.data(); output.dispose() })
})()`
