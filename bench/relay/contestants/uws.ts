/** Bare uWebSockets.js: the physical limit, and how far a plain loop falls behind it. */
import type { Access, Contestant } from '../contestant.ts'
import { startNodeServer } from '../server-process.ts'
import { createPlainWire } from '../wire/plain-wire.ts'

const wire = ({ port }: Access) => createPlainWire(port)

export const uwsPublish: Contestant = {
  name: 'uws',
  title: 'bare uWebSockets.js, `app.publish`',
  echo: 'the same 200 bytes back',
  start: (nodeArguments) => startNodeServer(nodeArguments, 'uws-server.ts', ['publish']),
  wire,
}

export const uwsLoop: Contestant = {
  name: 'uws-loop',
  title: 'bare uWebSockets.js, `send` in a loop',
  echo: 'the same 200 bytes back',
  takesPartIn: ['saturation', 'paced'],
  start: (nodeArguments) => startNodeServer(nodeArguments, 'uws-server.ts', ['loop']),
  wire,
}
