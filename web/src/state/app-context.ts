/** How components reach the state: `app.ts` makes it, the shell provides it, everybody else calls `useApp`. */
import { createContext } from 'svelte'
import type { CameraState } from './camera-state.svelte.ts'
import type { LanguageState } from './language-state.svelte.ts'
import type { LinkState } from './link-state.svelte.ts'
import type { ReadingsState } from './readings-state.svelte.ts'
import type { RouteState } from './route-state.svelte.ts'
import type { StationSettings } from './station-settings.svelte.ts'
import type { ThemeState } from './theme-state.svelte.ts'
import type { UpdateState } from './update-state.svelte.ts'
import type { VisionState } from './vision-state.svelte.ts'
import type { WatchState } from './watch-state.svelte.ts'

export interface AppState {
  readonly version: string
  readonly camera: CameraState
  readonly language: LanguageState
  readonly link: LinkState
  readonly readings: ReadingsState
  readonly route: RouteState
  readonly station: StationSettings
  readonly theme: ThemeState
  readonly update: UpdateState
  readonly vision: VisionState
  readonly watch: WatchState
  /** Feeds the pictures of a playing video to the reading until the returned function is called. */
  readVideo(video: HTMLVideoElement): () => void
}

export const [useApp, provideApp] = createContext<AppState>()
