/** Constants the build writes in (vite.config.ts, scripts/offline-assets.ts). */

declare const __APP_VERSION__: string
/** Same-origin folder with onnxruntime's wasm, ending in `/`. */
declare const __RUNTIME_URL__: string
/** The same for graphics processors, fetched by those who use one. */
declare const __GPU_RUNTIME_URL__: string
/** Same-origin folder with both networks, ending in `/`. */
declare const __MODELS_URL__: string
