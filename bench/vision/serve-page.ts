/**
 * Builds the benchmark's page and serves it with both contestants' files from one origin, isolated as the relay serves the real page.
 * Remembers what was asked for, so that the bytes of a visit can be counted.
 */
import { createServer, type Server } from 'node:http'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, extname, join, normalize } from 'node:path'
import { build, type Plugin } from 'vite'

export interface PageServer extends AsyncDisposable {
  /** Ends in `/`. */
  readonly origin: string
  /** The files asked for since the last call, each once. */
  takeRequested(): readonly string[]
}

const require = createRequire(import.meta.url)

const MIME_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.jpg': 'image/jpeg',
}

/** Its own file, not bundled again: that breaks the workers it makes from its source text. */
const humanAsPublished: Plugin = {
  name: 'human-as-published',
  enforce: 'pre',
  resolveId: (id) => (id === '@vladmandic/human' ? { id: '/human-dist/human.esm.js', external: 'absolute' } : null),
}

export async function servePage(root: string): Promise<PageServer> {
  const page = join(root, '.cache', 'bench-vision')
  await build({
    root: join(root, 'bench/vision/page'),
    configFile: false,
    logLevel: 'error',
    resolve: { conditions: ['onnxruntime-web-use-extern-wasm', 'module', 'browser', 'import'] },
    worker: { format: 'es' },
    plugins: [humanAsPublished],
    build: { outDir: page, emptyOutDir: true, target: 'es2022', assetsInlineLimit: 0, reportCompressedSize: false },
  })
  const folders: readonly (readonly [string, string])[] = [
    ['/ort/', join(root, 'node_modules/onnxruntime-web/dist')],
    ['/models/', join(root, 'web/public/models')],
    ['/tfjs/', dirname(require.resolve('@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm'))],
    ['/human-dist/', dirname(require.resolve('@vladmandic/human'))],
    ['/human/', join(dirname(require.resolve('@vladmandic/human')), '../models')],
    ['/', page],
  ]
  const requested = new Set<string>()

  function toFile(url: string): string | undefined {
    const path = normalize(url.split('?')[0] ?? '/')
    if (path === '/photo.jpg') return join(root, 'web/fixtures/astronaut.jpg')
    const folder = folders.find(([prefix]) => path.startsWith(prefix))
    return folder === undefined ? undefined : join(folder[1], path === '/' ? 'index.html' : path.slice(folder[0].length))
  }

  const server = createServer((request, response) => {
    const file = toFile(request.url ?? '/')
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin')
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp')
    response.setHeader('Content-Type', MIME_TYPES[extname(file ?? '')] ?? 'application/octet-stream')
    void (file === undefined ? Promise.reject(new Error('unknown')) : readFile(file)).then(
      (bytes) => {
        if (file !== undefined) requested.add(file)
        response.end(bytes)
      },
      () => response.writeHead(404).end(),
    )
  })
  const port = await listen(server)
  return {
    origin: `http://127.0.0.1:${String(port)}/`,
    takeRequested() {
      const files = [...requested]
      requested.clear()
      return files
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
