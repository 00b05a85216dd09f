/**
 * Requests that never end: both transports let go of them by themselves (after 12 to 20 seconds; neither library can be told to be quicker in
 * both cases). Waits for the connection's end, whenever it comes.
 */
import { describe, expect, it } from 'vitest'
import { createHeard, PLAIN_WIRES, routesFor, startSubject } from './contract-kit.ts'
import { openWire } from './raw-wire.ts'

const DRIP_MS = 1_000

describe.concurrent.each(PLAIN_WIRES)('slow requests on $name', (subject) => {
  it.each([
    ['stops in the middle of its headers', 'GET / HTTP/1.1\r\nHost: a\r\nX: ', ''],
    ['sends its headers byte by byte', 'GET / HTTP/1.1\r\nHost: a\r\nX: ', 'a'],
    ['never asks', '', ''],
  ])(
    '[TW1] ends a connection that %s',
    async (_what, start, drip) => {
      const heard = createHeard()
      await using running = await startSubject(subject, { routes: routesFor(heard) })
      using wire = openWire(running.port)
      wire.send(start)
      const dripping = setInterval(() => wire.send(drip), DRIP_MS)
      await wire.closed
      clearInterval(dripping)
      expect(heard.upgrades).toEqual([])
    },
    60_000,
  )
})
