/** Bare uWebSockets.js: the physical limit, and how far a plain loop falls behind it. */
import type { Access, Contestant } from '../contestant.ts'
import { startNodeServer } from '../server-process.ts'
import { createPlainWire } from '../wire/plain-wire.ts'
import { PAYLOAD } from '../wire/wire.ts'

const wire = ({ port }: Access) => createPlainWire(port)

export const uwsPublish: Contestant = {
  name: 'uws',
  title: 'bare uWebSockets.js, `app.publish`',
  echo: 'the same 200 bytes back',
  start: (nodeArguments) => startNodeServer(nodeArguments, 'uws-server.ts', ['publish']),
  wire,
}

/** Frames as long as the relay's: what is left of the difference is ours, and not the names and numbers in each message. */
export const uwsLong: Contestant = {
  ...uwsPublish,
  name: 'uws-long',
  title: "the same with frames as long as the relay's",
  takesPartIn: ['saturation', 'paced'],
  wire: ({ port }) => createPlainWire(port, PAYLOAD.padEnd(303, '.')),
}

export const uwsLoop: Contestant = {
  name: 'uws-loop',
  title: 'bare uWebSockets.js, `send` in a loop',
  echo: 'the same 200 bytes back',
  takesPartIn: ['saturation', 'paced'],
  start: (nodeArguments) => startNodeServer(nodeArguments, 'uws-server.ts', ['loop']),
  wire,
}
