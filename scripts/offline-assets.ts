/**
 * A Vite plugin that puts the large files the vision worker loads (onnxruntime's wasm, both networks) under `assets/` in folders named
 * by their content. So the relay may mark them immutable, the service worker takes them from the HTTP cache instead of downloading them
 * twice, and a changed network is never mistaken for the old one. The page learns the folders as `__RUNTIME_URL__`, `__GPU_RUNTIME_URL__`
 * and `__MODELS_URL__`.
 */
import { createHash } from 'node:crypto'
import { copyFile, mkdir, readFile, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Plugin } from 'vite'

const RUNTIME_FOLDER = 'node_modules/onnxruntime-web/dist'
/** What `onnxruntime-web/wasm` loads. */
const RUNTIME_FILES = ['ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm'] as const
/** What `onnxruntime-web/webgpu` loads; never part of what every tablet keeps (`globIgnores` in vite.config.ts). */
const GPU_RUNTIME_FILES = ['ort-wasm-simd-threaded.asyncify.mjs', 'ort-wasm-simd-threaded.asyncify.wasm'] as const
const MODELS_FOLDER = 'web/public/models'
/** In development Vite serves the package and the public folder as they are. */
const DEVELOPMENT_URLS = { runtime: '/@ort/', gpuRuntime: '/@ort/', models: '/models/' }

interface AssetFolder {
  readonly source: string
  readonly files: readonly string[]
  /** Below `dist/assets/`. */
  readonly target: string
}

export function offlineAssets(): Plugin {
  let folders: readonly AssetFolder[] = []
  let outDir = 'dist'
  return {
    name: 'semblante-offline-assets',
    async config(_config, { command, isPreview }) {
      if (command === 'serve') return isPreview === true ? undefined : toDefine(DEVELOPMENT_URLS)
      const runtime = await toAssetFolder('ort', RUNTIME_FOLDER, RUNTIME_FILES)
      const gpuRuntime = await toAssetFolder('ort-webgpu', RUNTIME_FOLDER, GPU_RUNTIME_FILES)
      const models = await toAssetFolder('models', MODELS_FOLDER, await listModels())
      folders = [runtime, gpuRuntime, models]
      return toDefine({
        runtime: `/assets/${runtime.target}/`,
        gpuRuntime: `/assets/${gpuRuntime.target}/`,
        models: `/assets/${models.target}/`,
      })
    },
    configResolved(config) {
      outDir = join(config.root, config.build.outDir)
    },
    configureServer(server) {
      server.middlewares.use(DEVELOPMENT_URLS.runtime, (request, response, next) => {
        const name = [...RUNTIME_FILES, ...GPU_RUNTIME_FILES].find((file) => request.url?.split('?')[0] === `/${file}`)
        if (name === undefined) {
          next()
          return
        }
        void readFile(join(RUNTIME_FOLDER, name)).then((bytes) => {
          response.setHeader('Content-Type', name.endsWith('.wasm') ? 'application/wasm' : 'text/javascript')
          response.setHeader('Cross-Origin-Resource-Policy', 'same-origin')
          response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp')
          response.end(bytes)
        }, next)
      })
    },
    async writeBundle() {
      // Vite copied the public folder as it is; the named copy replaces it.
      await rm(join(outDir, 'models'), { recursive: true, force: true })
      for (const folder of folders) {
        const target = join(outDir, 'assets', folder.target)
        await mkdir(target, { recursive: true })
        for (const file of folder.files) await copyFile(join(folder.source, file), join(target, file))
      }
    },
  }
}

function toDefine(urls: typeof DEVELOPMENT_URLS): { define: Record<string, string> } {
  return {
    define: {
      __RUNTIME_URL__: JSON.stringify(urls.runtime),
      __GPU_RUNTIME_URL__: JSON.stringify(urls.gpuRuntime),
      __MODELS_URL__: JSON.stringify(urls.models),
    },
  }
}

/** Empty when the networks were not built yet; the page then says that a model is missing. */
async function listModels(): Promise<string[]> {
  const entries = await readdir(MODELS_FOLDER, { withFileTypes: true }).catch(() => [])
  return entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
    .sort()
}

async function toAssetFolder(name: string, source: string, files: readonly string[]): Promise<AssetFolder> {
  const hash = createHash('sha256')
  for (const file of files) hash.update(file).update(await readFile(join(source, file)))
  return { source, files, target: `${name}-${hash.digest('hex').slice(0, 10)}` }
}
