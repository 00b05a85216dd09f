/** Puts the card of a network together. Loaded when somebody opens it, so that a tablet that only reads faces never pays for it. */
import type { ModelCardArea } from './state/app-context.ts'
import { readModelCard } from './state/model-card.ts'
import ModelCardPage from './ui/model/ModelCardPage.svelte'

/** @param manifestUrl of the network. Rejects when it cannot be had, from the server or from what was kept. */
export async function openModelCard(manifestUrl: string): Promise<ModelCardArea> {
  const response = await fetch(manifestUrl).catch(() => caches.match(manifestUrl))
  const card = readModelCard(await response?.json())
  if (card === undefined) throw new Error(`${manifestUrl} is no manifest`)
  return { Page: ModelCardPage, props: { card } }
}
