/** How components reach the state: `app.ts` makes it, the shell provides it, everybody else calls `useApp`. */
import { createContext, type Component } from 'svelte'
import type { AdminState } from './admin-state.svelte.ts'
import type { AlarmsState } from './alarms-state.svelte.ts'
import type { CameraState } from './camera-state.svelte.ts'
import type { ConsentState } from './consent-state.svelte.ts'
import type { EngineState } from './engine-state.svelte.ts'
import type { FallbackState } from './fallback-state.svelte.ts'
import type { HistoryKeeping } from './history-keeping.svelte.ts'
import type { HistoryState } from './history-state.svelte.ts'
import type { FileInbox } from './file-inbox.svelte.ts'
import type { InstallState } from './install-state.svelte.ts'
import type { KioskParts, KioskState } from './kiosk-state.svelte.ts'
import type { LanguageState } from './language-state.svelte.ts'
import type { LinkState } from './link-state.svelte.ts'
import type { MachinesState } from './machines-state.svelte.ts'
import type { ModelCard } from './model-card.ts'
import type { PhotoState } from './photo-state.svelte.ts'
import type { PaceState } from './pace-state.svelte.ts'
import type { ReadingsState } from './readings-state.svelte.ts'
import type { RouteState } from './route-state.svelte.ts'
import type { StationSettings } from './station-settings.svelte.ts'
import type { ThemeState } from './theme-state.svelte.ts'
import type { UpdateState } from './update-state.svelte.ts'
import type { VisionState } from './vision-state.svelte.ts'
import type { WallState } from './wall-state.svelte.ts'

/** A page that is fetched when somebody opens it, and what it shows. */
export interface Area<Props extends Record<string, unknown>> {
  readonly Page: Component<Props>
  readonly props: Props
}

export type AdminArea = Area<{ readonly admin: AdminState }>
export type HistoryArea = Area<{ readonly history: HistoryState }>
/** The page that shows the design system. */
export type DesignArea = Area<Record<string, never>>
/** What the camera shows. */
export type LiveArea = Area<Record<string, never>>
export type MachinesArea = Area<{ readonly machines: MachinesState }>
/** The page about the network that reads. */
export type ModelCardArea = Area<{ readonly card: ModelCard }>
/** What the app is for, and what it must not be used for. */
export type ResponsibleArea = Area<Record<string, never>>
/** Photos and videos that somebody gives to be read. */
export type PhotoArea = Area<{ readonly photos: PhotoState }>
export type SettingsArea = Area<Record<string, never>>
/** All stations at once, or one of them. */
export type WallArea = Area<{ readonly wall: WallState }>

export interface AppState {
  readonly version: string
  readonly alarms: AlarmsState
  readonly camera: CameraState
  readonly consent: ConsentState
  readonly engines: EngineState
  readonly fallback: FallbackState
  readonly history: HistoryKeeping
  readonly inbox: FileInbox
  readonly install: InstallState
  readonly kiosk: KioskState
  readonly language: LanguageState
  readonly link: LinkState
  readonly pace: PaceState
  readonly readings: ReadingsState
  readonly route: RouteState
  readonly station: StationSettings
  readonly theme: ThemeState
  readonly update: UpdateState
  readonly vision: VisionState
  // Pages that are fetched when somebody opens them. Each rejects when its files cannot be had.
  loadAdmin(): Promise<AdminArea>
  loadHistory(): Promise<HistoryArea>
  /** What a tablet in kiosk mode, or about to be, needs besides. */
  loadKiosk(): Promise<KioskParts>
  loadDesign(): Promise<DesignArea>
  loadLive(): Promise<LiveArea>
  loadMachines(): Promise<MachinesArea>
  /** Of the network that reads, or will. */
  loadModelCard(): Promise<ModelCardArea>
  loadResponsible(): Promise<ResponsibleArea>
  loadPhoto(): Promise<PhotoArea>
  loadSettings(): Promise<SettingsArea>
  loadWall(): Promise<WallArea>
  /** Feeds the pictures of a playing video to the reading until the returned function is called. */
  readVideo(video: HTMLVideoElement): () => void
}

export const [useApp, provideApp] = createContext<AppState>()
