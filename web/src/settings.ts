/** Puts the settings page together. Loaded when somebody opens it, so that the first reading does not wait for it. */
import type { SettingsArea } from './state/app-context.ts'
import SettingsPage from './ui/settings/SettingsPage.svelte'

export const settingsArea: SettingsArea = { Page: SettingsPage, props: {} }
