/** Puts the page of the design system together. Loaded when somebody opens it. */
import type { DesignArea } from './state/app-context.ts'
import DesignPage from './ui/design/DesignPage.svelte'

export const designArea: DesignArea = { Page: DesignPage, props: {} }
