/** Puts the page together: the only place that constructs link, vision and state and knows the browser's globals. */
import { acquireToken } from '#shared/client/acquire-session'
import { realClock } from '#shared/client/client-clock'
import { mount } from 'svelte'
import { createConsentedPublisher } from './link/consented-publisher.ts'
import { keepSession } from './link/kept-session.ts'
import { createRelayLink } from './link/relay-link.ts'
import { pageCode } from './pages.ts'
import { overwriteGetLocale } from './paraglide/runtime.js'
import type { AppState } from './state/app-context.ts'
import { createAlarmsState, showAppBadge } from './state/alarms-state.svelte.ts'
import { createCameraState } from './state/camera-state.svelte.ts'
import { createConsentState } from './state/consent-state.svelte.ts'
import { createEngineMemory } from './state/engine-memory.ts'
import { createEngineState } from './state/engine-state.svelte.ts'
import { createFallbackState } from './state/fallback-state.svelte.ts'
import { createHistoryKeeping } from './state/history-keeping.svelte.ts'
import { createFileInbox } from './state/file-inbox.svelte.ts'
import { createInstallState, thisInstallBrowser } from './state/install-state.svelte.ts'
import { createLanguageState } from './state/language-state.svelte.ts'
import { listenToLaunches } from './state/launched-files.ts'
import { createLinkState } from './state/link-state.svelte.ts'
import { createKioskState, type KioskParts } from './state/kiosk-state.svelte.ts'
import { createPaceState } from './state/pace-state.svelte.ts'
import { createReadingsState } from './state/readings-state.svelte.ts'
import { createRememberedSettings } from './state/remembered-settings.ts'
import { createRouteState, toHash } from './state/route-state.svelte.ts'
import { forgetSharedFiles } from './state/shared-files.ts'
import { createStationSettings } from './state/station-settings.svelte.ts'
import { createThemeState } from './state/theme-state.svelte.ts'
import { createUpdateState } from './state/update-state.svelte.ts'
import { createVisionState } from './state/vision-state.svelte.ts'
import App from './ui/App.svelte'
import './ui/theme/tokens.css'
import './ui/theme/base.css'
import { createCameras } from './vision/camera.ts'
import { createFrameSource } from './vision/frame-source.ts'
import type { FrameAnalysis } from './vision/vision-api.ts'
import { createVisionClient } from './vision/vision-client.ts'

const MAX_FACES = 8
/** A photo may show a crowd, and has no frame before it. */
const PHOTO_READING = { maxFaces: 16, findEveryMs: 0, smoothingMs: 0 } as const
/** Set while an update reloads the page: the camera that was on is turned on again. Once per tab. */
const RESUME_KEY = 'resume-camera'

const PROGRAM = `semblante-page@${__APP_VERSION__}`
const VISION_SERVICE = 'vision'
/** A relay that has read no picture yet loads its networks first. */
const FIRST_PICTURE_MS = 30_000
/** The one address besides `/` that people type; pages live after `#`. */
const ADMIN_ADDRESS = '/admin'

if (location.pathname === ADMIN_ADDRESS) history.replaceState(null, '', '/#/admin')
const remembered = createRememberedSettings(() => localStorage)
const rememberedInTab = createRememberedSettings(() => sessionStorage)
const install = createInstallState(thisInstallBrowser(), remembered)
install.start()
const link = createRelayLink({
  origin: location.origin,
  program: PROGRAM,
  clock: realClock,
  acquireToken: keepSession(() => acquireToken(location.origin), rememberedInTab),
})
const station = createStationSettings(remembered, Math.random())
const engineMemory = createEngineMemory({
  remembered,
  machine: { cores: navigator.hardwareConcurrency, isIsolated: crossOriginIsolated },
  key: `${__APP_VERSION__} ${navigator.hardwareConcurrency} ${navigator.userAgent}`,
  now: Date.now,
})
/** For tests: nobody's tablet is faster for it. */
const allowsSoftwareGpu = remembered.read('software-gpu') === 'yes'
const visionOptions = {
  modelsUrl: __MODELS_URL__,
  defaultUrl: '/models/default.json',
  runtimeUrl: __RUNTIME_URL__,
  maxFaces: MAX_FACES,
  ...(station.manifestPath === '' ? {} : { manifestUrl: station.manifestPath }),
}
const vision = createVisionClient({ ...visionOptions, gpuRuntimeUrl: __GPU_RUNTIME_URL__, allowsSoftwareGpu, engines: engineMemory })
const engines = createEngineState({
  memory: engineMemory,
  vision,
  async load() {
    const { createEngineParts } = await import('./engines.ts')
    return createEngineParts({
      machine: engineMemory.machine,
      allowsSoftwareGpu,
      vision,
      wait: (ms) => new Promise((resolve) => realClock.after(ms, resolve)),
    })
  },
  isFirstVisit: !('serviceWorker' in navigator) || navigator.serviceWorker.controller === null,
  now: Date.now,
})

const language = createLanguageState(remembered, navigator.languages)
const camera = createCameraState(createCameras(), remembered)
const readings = createReadingsState()
const consent = createConsentState({
  ...{ link, remembered },
  station: () => station.name,
  now: Date.now,
  turnOff: () => camera.turnOff(),
  onChange() {
    publisher.reset()
    if (!consent.mayOfferPictures) fallback.reset()
  },
})
const publisher = createConsentedPublisher(link, () => consent)
const keeping = createHistoryKeeping({
  load: async () =>
    (await import('./history-keeper.ts')).startHistoryKeeper({
      ...{ link, clock: realClock },
      station: () => station.name,
      mayShare: () => consent.effective === 'readings',
    }),
})
consent.onErase(async () => {
  if (!(await keeping.erase())) throw new Error('the history could not be erased')
})
const visionState = createVisionState(vision)
const linkState = createLinkState(link)
const route = createRouteState({
  hash: () => location.hash,
  onChange(listener) {
    addEventListener('hashchange', listener)
    return () => removeEventListener('hashchange', listener)
  },
})
const update = createUpdateState({
  serviceWorker: import.meta.env.PROD && 'serviceWorker' in navigator ? navigator.serviceWorker : undefined,
  every: (intervalMs, callback) => realClock.every(intervalMs, callback),
  reload() {
    if (camera.status.kind === 'running') rememberedInTab.write(RESUME_KEY, '1')
    location.reload()
  },
})

const moreContrast = matchMedia('(prefers-contrast: more)')
const forcedColours = matchMedia('(forced-colors: active)')

let countShown = (): number => 0
function take(analysis: FrameAnalysis, model: string | undefined): void {
  // A frame that was under way when the camera was paused.
  if (camera.status.kind !== 'running') return
  const now = performance.now()
  readings.take(analysis, now, countShown())
  keeping.take(analysis)
  if (analysis.faces.length > 0) install.noteReading(now)
  if (model === undefined) return
  consent.ensureDeclared()
  publisher.offer(analysis, { station: station.name, rate: station.rate, model }, now)
}
const fallback = createFallbackState({
  vision,
  link,
  remembered,
  mayOffer: () => consent.mayOfferPictures,
  improve: () => engines.improve(),
  isOffered: async () => (await link.ask({ to: VISION_SERVICE, method: 'info', deadlineMs: FIRST_PICTURE_MS })).kind === 'replied',
  load: async () => (await import('./fallback.ts')).createFallbackParts(link),
  onAnalysis: take,
  now: Date.now,
})
consent.onErase(() => {
  readings.timeline.clear()
  fallback.choose('ask')
})
vision.onAnalysis((analysis) => {
  take(analysis, vision.state.kind === 'ready' ? vision.state.info.model : undefined)
  engines.noteReading()
  // What loads beside it takes its time too.
  if (engines.activity.kind === 'idle') fallback.noteLocal(analysis, Date.now() - analysis.time)
})

const pace = createPaceState()
const kiosk = createKioskState(remembered)
function forgetFaces(): void {
  vision.reset()
  publisher.reset()
}
let kioskParts: KioskParts | undefined
let isKeptRunning = false
/** Asked at every start of the camera; a tablet that was offline then has another chance at the next. */
async function keepRunning(): Promise<void> {
  if (isKeptRunning) return
  isKeptRunning = true
  try {
    const { startKeepRunning } = await import('./keep-running.svelte.ts')
    startKeepRunning({ camera, visionState, vision, link, pace, clock: realClock, countShown: () => countShown(), forgetFaces })
  } catch {
    isKeptRunning = false
  }
}

function readVideo(video: HTMLVideoElement): () => void {
  visionState.open()
  forgetFaces()
  void keepRunning()
  const source = createFrameSource({
    video,
    isWanted: () => fallback.isIdle && pace.takeTurn(performance.now()),
    onFrame: (frame, time) => fallback.submit(frame, time),
  })
  countShown = () => source.shownCount
  source.start()
  return () => {
    source.stop()
    fallback.reset()
    readings.clear()
    keeping.pause()
  }
}

const alarms = createAlarmsState({ link, showBadge: showAppBadge })
const inbox = createFileInbox(() => {
  if (route.current.page !== 'photo') location.hash = toHash({ page: 'photo' })
})

const app: AppState = {
  version: __APP_VERSION__,
  alarms,
  camera,
  consent,
  engines,
  fallback,
  history: keeping,
  inbox,
  install,
  kiosk,
  language,
  link: linkState,
  pace,
  readings,
  route,
  station,
  theme: createThemeState({
    remembered,
    highContrast: {
      isWished: () => moreContrast.matches || forcedColours.matches,
      onChange(listener) {
        moreContrast.addEventListener('change', listener)
        forcedColours.addEventListener('change', listener)
      },
    },
  }),
  update,
  vision: visionState,
  loadAdmin: async () => (await pageCode.admin()).createAdminArea(location.origin, PROGRAM),
  loadHistory: async () => (await pageCode.history()).createHistoryArea(keeping, () => station.name),
  loadDesign: async () => (await pageCode.design()).designArea,
  loadLive: async () => (await pageCode.live()).liveArea,
  loadMachines: async () => (await pageCode.machines()).createMachinesArea(location.origin, PROGRAM),
  loadKiosk: async () => (kioskParts ??= (await import('./kiosk.ts')).createKioskParts(kiosk, remembered)),
  async loadModelCard() {
    const { openModelCard } = await pageCode.model()
    const { state } = vision
    return await openModelCard(state.kind === 'ready' ? state.info.manifestUrl : `${__MODELS_URL__}emotion.json`)
  },
  loadResponsible: async () => (await pageCode.responsible()).responsibleArea,
  loadPhoto: async () => (await pageCode.photo()).createPhotoArea(createVisionClient({ ...visionOptions, ...PHOTO_READING })),
  loadSettings: async () => (await pageCode.settings()).settingsArea,
  loadWall: async () => (await pageCode.wall()).createWallArea(link, realClock),
  readVideo,
}

overwriteGetLocale(() => language.current)
camera.start()
visionState.start()
engines.start()
linkState.start()
consent.start()
fallback.start()
route.start()
link.start()
addEventListener('online', () => link.retryNow())
// On its way while the shell is put up; whether it arrives is the page's business.
if (route.current.page !== 'live') pageCode[route.current.page]().catch(() => undefined)
// A task of its own: evaluating all of the above is as much as one should hold, on a slow tablet (Lighthouse counts it as blocked time).
realClock.after(0, () => void mount(App, { target: document.body, props: { app } }))

if (rememberedInTab.read(RESUME_KEY) === '1') {
  rememberedInTab.write(RESUME_KEY, '')
  if (consent.isDecided) void camera.turnOn()
}

listenToLaunches((files) => inbox.put(files))
if (route.current.page !== 'photo') void forgetSharedFiles(isSecureContext ? caches : undefined)

/** What is kept for offline use is 4 MB: it waits until the page no longer competes for the network. */
const startUpdates = (): void => void update.start()
if (document.readyState === 'complete') startUpdates()
else addEventListener('load', startUpdates, { once: true })
