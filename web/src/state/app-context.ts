/** How components reach the state: `app.ts` makes it, the shell provides it, everybody else calls `useApp`. */
import { createContext, type Component } from 'svelte'
import type { AdminState } from './admin-state.svelte.ts'
import type { CameraState } from './camera-state.svelte.ts'
import type { FallbackState } from './fallback-state.svelte.ts'
import type { LanguageState } from './language-state.svelte.ts'
import type { LinkState } from './link-state.svelte.ts'
import type { MachinesState } from './machines-state.svelte.ts'
import type { ModelCard } from './model-card.ts'
import type { ReadingsState } from './readings-state.svelte.ts'
import type { RouteState } from './route-state.svelte.ts'
import type { StationSettings } from './station-settings.svelte.ts'
import type { ThemeState } from './theme-state.svelte.ts'
import type { UpdateState } from './update-state.svelte.ts'
import type { VisionState } from './vision-state.svelte.ts'
import type { WatchState } from './watch-state.svelte.ts'

/** The administration page and what it shows. */
export interface AdminArea {
  readonly Page: Component<{ readonly admin: AdminState }>
  readonly state: AdminState
}

/** The machine pages and what they show. */
export interface MachinesArea {
  readonly Page: Component<{ readonly machines: MachinesState }>
  readonly state: MachinesState
}

/** The page about the network that reads, and what it shows. */
export interface ModelCardArea {
  readonly Page: Component<{ readonly card: ModelCard }>
  readonly card: ModelCard
}

export interface AppState {
  readonly version: string
  readonly camera: CameraState
  readonly fallback: FallbackState
  readonly language: LanguageState
  readonly link: LinkState
  readonly readings: ReadingsState
  readonly route: RouteState
  readonly station: StationSettings
  readonly theme: ThemeState
  readonly update: UpdateState
  readonly vision: VisionState
  readonly watch: WatchState
  /** Fetches the administration page, which few people ever open. Rejects when its files cannot be had. */
  loadAdmin(): Promise<AdminArea>
  /** The same for the machine pages. */
  loadMachines(): Promise<MachinesArea>
  /** The same for the card of the network that reads, or will. */
  loadModelCard(): Promise<ModelCardArea>
  /** Feeds the pictures of a playing video to the reading until the returned function is called. */
  readVideo(video: HTMLVideoElement): () => void
}

export const [useApp, provideApp] = createContext<AppState>()
