/** Puts the page on responsible use together. Loaded when somebody opens it. */
import type { ResponsibleArea } from './state/app-context.ts'
import ResponsiblePage from './ui/consent/ResponsiblePage.svelte'

export const responsibleArea: ResponsibleArea = { Page: ResponsiblePage, props: {} }
