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
/** By turns, so that both meet the same moments of a busy machine. */
const TURNS = 10
const RUNS_PER_TURN = 20

export interface BrowserTimes {
  readonly browser: string
  /** Of each network. */
  readonly runs: number
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
    const times = await page.evaluate<Pick<BrowserTimes, 'ours' | 'human'>>(timeBoth(dims))
    return { browser: `Chromium ${browser.version()}`, runs: TURNS * RUNS_PER_TURN, ...times }
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

/** What runs in the page, as text: times both networks by turns, after one turn to warm up. */
function timeBoth(dims: readonly number[]): string {
  return `(async () => {
    const runs = { ours: await (${openOurs(dims)})(), human: await (${OPEN_HUMAN})() }
    const times = { ours: [], human: [] }
    for (let turn = 0; turn <= ${String(TURNS)}; turn += 1) {
      for (const name of ['ours', 'human']) {
        for (let index = 0; index < ${String(RUNS_PER_TURN)}; index += 1) {
          const start = performance.now()
          await runs[name]()
          if (turn > 0) times[name].push(performance.now() - start)
        }
      }
    }
    const summarise = (values) => {
      values.sort((a, b) => a - b)
      return { median: values[values.length >> 1], fastestTenth: values[Math.floor(values.length / 10)] }
    }
    return { ours: summarise(times.ours), human: summarise(times.human) }
  })()`
}

/** A function that opens our network and answers with a function that reads one face. */
function openOurs(dims: readonly number[]): string {
  const length = dims.reduce((product, each) => product * each, 1)
  return `async () => {
    const ort = await import('/ort/ort.wasm.bundle.min.mjs')
    ort.env.wasm.numThreads = 1
    ort.env.wasm.wasmPaths = '/ort/'
    const bytes = new Uint8Array(await (await fetch('/network.onnx')).arrayBuffer())
    const session = await ort.InferenceSession.create(bytes)
    const input = { [session.inputNames[0]]: new ort.Tensor('float32', new Float32Array(${String(length)}).map(() => Math.random()), ${JSON.stringify(dims)}) }
    return () => session.run(input)
  }`
}

const OPEN_HUMAN = `async () => {
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false)
  tf.wasm.setWasmPaths('/tfjs-backend-wasm/dist/')
  await tf.setBackend('wasm')
  const model = await tf.loadGraphModel('/human/emotion.json')
  const input = tf.randomUniform([1, 64, 64, 1], -1, 1)
  return async () => { const output = model.execute(input); await output.data(); output.dispose() }
}`
