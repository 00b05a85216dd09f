/** Picks uWebSockets.js where its binary loads, else `ws`. The caller says which in one line. */
import type { Transport, TransportChoice } from '../ports.ts'
import { createNodeTransport } from './node-transport.ts'
import type { TransportOptions } from './transport-options.ts'
import { loadUws } from './uws-loader.ts'
import { createUwsTransport } from './uws-transport.ts'

/** What can run here. */
export function findTransports(): readonly Exclude<TransportChoice, 'auto'>[] {
  return loadUws() === undefined ? ['ws'] : ['uws', 'ws']
}

/** @returns undefined when `uws` was asked for by name and does not load here. */
export function chooseTransport(choice: TransportChoice, options: TransportOptions): Transport | undefined {
  if (choice === 'ws') return createNodeTransport(options)
  const uws = loadUws()
  if (uws !== undefined) return createUwsTransport(uws, options)
  return choice === 'uws' ? undefined : createNodeTransport(options)
}
