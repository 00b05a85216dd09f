/**
 * How the page is built: one folder `dist/` with everything the relay serves and everything the page needs without a network.
 * Compressing the result is left to `scripts/precompress.ts`, headers in production to the relay.
 */
import { paraglideVitePlugin } from '@inlang/paraglide-js'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defaultClientConditions, defineConfig } from 'vite'
import { VitePWA } from 'vite-plugin-pwa'
import { compileHints } from './scripts/compile-hints.ts'
import { lateIntl } from './scripts/late-intl.ts'
import { offlineAssets } from './scripts/offline-assets.ts'
import packageJson from './package.json' with { type: 'json' }

/** Where `npm run dev` finds a relay. */
const RELAY_ORIGIN = 'http://localhost:8080'
/** onnxruntime's wasm is 14 MB; nothing that is kept from the first visit on is larger. */
const LARGEST_PRECACHED_BYTES = 20_000_000
/** onnxruntime for graphics processors: its code, and the folder with its loader and wasm (scripts/offline-assets.ts). */
const GPU_FILES = 'assets/ort{-,.}webgpu*{,/**}'
const GPU_FILE_COUNT = 3

/**
 * What more than one page uses comes as one file with the first, not as a dozen small ones with each page. Not what draws charts and what the
 * history is kept in: few pages need those.
 */
const SHARED_CODE = {
  groups: [{ name: 'shared', test: /^(?!.*(?:uplot|emotion-lines|src[\\/]history[\\/]))/, minShareCount: 2 }],
}

/** The relay's headers, so that the development server finds violations before a user does. */
const isolationHeaders = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
}
const securityHeaders = {
  ...isolationHeaders,
  'Content-Security-Policy':
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; img-src 'self' data: blob:; media-src 'self' blob: mediastream:; style-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Permissions-Policy': 'camera=(self)',
}

const SCREENSHOT_SIZES = { wide: '1280x800', narrow: '780x1688' } as const

/** Made by scripts/render-icons.ts. */
function shortcutIcon(name: string): { src: string; sizes: string; type: string } {
  return { src: `/icons/shortcut-${name}.png`, sizes: '192x192', type: 'image/png' }
}

/** Made by `npm run screenshots`; shown by the browser before somebody installs the page. */
function screenshot(name: string, form: keyof typeof SCREENSHOT_SIZES, label: string) {
  const src = `/screenshots/${name}.jpg`
  return { src, sizes: SCREENSHOT_SIZES[form], type: 'image/jpeg', form_factor: form, label }
}

const relayProxy = {
  '/relay': { target: RELAY_ORIGIN, ws: true },
  '/api': { target: RELAY_ORIGIN },
}

export default defineConfig({
  root: 'web',
  define: { __APP_VERSION__: JSON.stringify(packageJson.version) },
  build: {
    outDir: '../dist',
    emptyOutDir: true,
    target: 'es2022',
    // `light-dark()` and container queries as they are: what stands in for them resolves colours in the wrong place.
    cssTarget: ['chrome123', 'safari17.5', 'firefox120'],
    // Nothing is inlined: the content security policy allows no data: scripts, and one rule is easier than two.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: { output: { codeSplitting: SHARED_CODE } },
  },
  // onnxruntime is told where its wasm lies (`__RUNTIME_URL__`); without this the bundler would ship a second copy of 14 MB.
  resolve: { conditions: ['onnxruntime-web-use-extern-wasm', ...defaultClientConditions] },
  worker: { format: 'es' },
  server: { headers: isolationHeaders, proxy: relayProxy },
  preview: { headers: securityHeaders, proxy: relayProxy },
  plugins: [
    paraglideVitePlugin({
      project: './project.inlang',
      outdir: './src/paraglide',
      // The page chooses and remembers the language itself (state/language-state.svelte.ts).
      strategy: ['baseLocale'],
      emitTsDeclarations: true,
      disableAsyncLocalStorage: true,
      isServer: 'false',
    }),
    svelte({ configFile: '../svelte.config.js' }),
    offlineAssets(),
    lateIntl(),
    compileHints(),
    VitePWA({
      registerType: 'prompt',
      // Registration is the page's own (state/update-state.svelte.ts): nothing is injected, nothing reloads by itself.
      injectRegister: null,
      manifestFilename: 'manifest.webmanifest',
      includeAssets: [],
      includeManifestIcons: false,
      workbox: {
        globPatterns: ['**/*.{html,js,mjs,css,wasm,onnx,bin,json,svg,png,webmanifest}'],
        // The service worker brings its own part along; few tablets read on a graphics processor, and those keep its files when they have fetched them.
        globIgnores: ['screenshots/**', 'share-target.js', GPU_FILES],
        importScripts: ['/share-target.js'],
        runtimeCaching: [
          {
            urlPattern: /\/assets\/ort[-.]webgpu/,
            handler: 'CacheFirst',
            options: { cacheName: 'semblante-webgpu', expiration: { maxEntries: GPU_FILE_COUNT, purgeOnQuotaError: true } },
          },
        ],
        maximumFileSizeToCacheInBytes: LARGEST_PRECACHED_BYTES,
        // Everything under assets/ is named by its content, so the copy in the browser's HTTP cache is good: no second download.
        dontCacheBustURLsMatching: /^\/?assets\//,
        navigateFallback: '/index.html',
        navigateFallbackDenylist: [/^\/(api|v1|relay|ws|vision|carousel|socket\.io|health|readyz|metrics|docs)(\/|$|\?)/],
        cleanupOutdatedCaches: true,
        clientsClaim: true,
        inlineWorkboxRuntime: true,
        sourcemap: false,
      },
      manifest: {
        id: '/',
        name: 'Semblante',
        short_name: 'Semblante',
        description: 'Lee la expresión de los rostros ante la cámara, en la propia tableta; las imágenes no salen de ella sin permiso.',
        lang: 'es',
        dir: 'ltr',
        start_url: '/',
        scope: '/',
        display: 'standalone',
        orientation: 'any',
        theme_color: '#f5f3ee',
        background_color: '#f5f3ee',
        categories: ['utilities', 'productivity'],
        icons: [
          { src: '/icons/icon-192.png', sizes: '192x192', type: 'image/png', purpose: 'any' },
          { src: '/icons/icon-512.png', sizes: '512x512', type: 'image/png', purpose: 'any' },
          { src: '/icons/maskable-512.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
          { src: '/icons/logo.svg', sizes: 'any', type: 'image/svg+xml', purpose: 'any' },
        ],
        shortcuts: [
          { name: 'En vivo', url: '/#/', icons: [shortcutIcon('live')] },
          { name: 'Leer una foto', short_name: 'Foto', url: '/#/photo', icons: [shortcutIcon('photo')] },
          { name: 'Estaciones', url: '/#/wall', icons: [shortcutIcon('wall')] },
          { name: 'Máquinas', url: '/#/machines', icons: [shortcutIcon('machines')] },
        ],
        screenshots: [
          screenshot('live-wide', 'wide', 'En vivo: la imagen, la lectura y el último minuto'),
          screenshot('photo-wide', 'wide', 'Una foto leída en la propia tableta'),
          screenshot('live-narrow', 'narrow', 'En vivo, en un teléfono'),
          screenshot('photo-narrow', 'narrow', 'Una foto leída en el propio teléfono'),
        ],
        // Answered by the service worker (web/public/share-target.js): a shared photo stays on the device.
        share_target: {
          action: '/photo',
          method: 'POST',
          enctype: 'multipart/form-data',
          params: { files: [{ name: 'files', accept: ['image/*', 'video/*'] }] },
        },
        file_handlers: [
          {
            action: '/#/photo',
            accept: {
              'image/jpeg': ['.jpg', '.jpeg'],
              'image/png': ['.png'],
              'image/webp': ['.webp'],
              'image/avif': ['.avif'],
              'video/mp4': ['.mp4'],
              'video/webm': ['.webm'],
            },
          },
        ],
        // One window, because one page has the camera. Not `focus-existing`: that drops what was shared (WICG/web-app-launch#62).
        launch_handler: { client_mode: ['navigate-existing', 'auto'] },
      },
    }),
  ],
})
