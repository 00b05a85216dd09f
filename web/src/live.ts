/** Puts together what the camera shows. Loaded when it is turned on, so that the welcome and every other page stand without the charts. */
import type { LiveArea } from './state/app-context.ts'
import LiveView from './ui/live/LiveView.svelte'

export const liveArea: LiveArea = { Page: LiveView, props: {} }
