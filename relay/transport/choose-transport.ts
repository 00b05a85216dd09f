/** Picks uWebSockets.js where its binary loads, else `ws`. The caller says which in one line. */
import type { Log, Transport, TransportChoice, TransportRoutes } from '../ports.ts'
import { createNodeTransport } from './node-transport.ts'
import { loadUws } from './uws-loader.ts'
import { createUwsTransport } from './uws-transport.ts'

/** What can run here. */
export function findTransports(): readonly Exclude<TransportChoice, 'auto'>[] {
  return loadUws() === undefined ? ['ws'] : ['uws', 'ws']
}

/** @returns undefined when `uws` was asked for by name and does not load here. */
export function chooseTransport(choice: TransportChoice, routes: TransportRoutes, log: Log): Transport | undefined {
  if (choice === 'ws') return createNodeTransport(routes, log)
  const uws = loadUws()
  if (uws !== undefined) return createUwsTransport(uws, routes, log)
  return choice === 'uws' ? undefined : createNodeTransport(routes, log)
}
