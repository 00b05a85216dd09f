/** Each example as its reader would run it, against the real relay with a station that publishes. The web page is run in a browser by web/e2e. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { openProgram } from '../scripts/testing/child-program.ts'
import { createReading, openClient, openRealRelay } from '../scripts/testing/real-relay.ts'

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

async function expectToListen(command: string, script: string): Promise<void> {
  await using relay = await openRealRelay()
  using station = openClient(relay)
  station.publish('emotion/desk-1', createReading())
  await using program = openProgram(command, [at(script), relay.url])
  expect(await program.nextLine()).toBe('desk-1: happiness 93 %')
  station.publish('emotion/desk-1', createReading({ faces: [] }))
  expect(await program.nextLine()).toBe('desk-1: no face')
}

it('[EX1] the Node script prints the last reading, then new ones', async () => {
  await expectToListen(process.execPath, 'node/listen.mjs')
})

/** The first Python that has the package; a version manager's often has not. */
const python = ['python3', '/usr/bin/python3'].find((command) => spawnSync(command, ['-c', 'import websockets']).status === 0)

describe.skipIf(python === undefined)('with Python and its package websockets (skipped where there is none)', () => {
  it('[EX2] the Python script prints the last reading, then new ones', async () => {
    await expectToListen(python ?? '', 'python/listen.py')
  })
})
