/** `npm run tail` as a process against the real relay. What its lines look like is tested beside them. */
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { openProgram, type ChildProgram } from './testing/child-program.ts'
import { createReading, openClient, openRealRelay } from './testing/real-relay.ts'

const TAIL = fileURLToPath(new URL('tail.ts', import.meta.url))

function openTail(...words: string[]): ChildProgram {
  return openProgram(process.execPath, ['--import', 'tsx', TAIL, ...words])
}

it('[TL1] prints the readings of every station and ends cleanly on Ctrl-C', async () => {
  await using relay = await openRealRelay()
  await using tail = openTail('--url', relay.url)
  expect(await tail.nextErrorLine()).toBe(`Listening to emotion/# at ${relay.url} (semblante/test). Ctrl-C ends.`)
  using station = openClient(relay)
  station.publish('emotion/desk-1', createReading())
  expect(await tail.nextLine()).toMatch(/^\d\d:\d\d:\d\d\.123 {2}desk-1 {2}#1 {2}happiness +█{19}░ +93 %$/)
  tail.signal('SIGINT')
  expect(await tail.ended).toBe(0)
})

it('[TL2] prints one JSON message per line with --json, of the topic asked for', async () => {
  await using relay = await openRealRelay()
  await using tail = openTail(relay.url, '--json', '--topic', 'machine/+/status')
  const message: unknown = JSON.parse(await tail.nextLine())
  expect(message).toMatchObject({ type: 'message', topic: expect.stringMatching(/^machine\/.+\/status$/) })
})

it('[TL3] goes on by itself when the relay comes back', async () => {
  const first = await openRealRelay()
  await using tail = openTail(first.url)
  await tail.nextErrorLine()
  await first[Symbol.asyncDispose]()
  expect(await tail.nextErrorLine()).toBe(`The relay at ${first.url} is away; trying again.`)
  await using second = await openRealRelay(first.port)
  using station = openClient(second)
  station.publish('emotion/desk-1', createReading({ faces: [] }))
  expect(await tail.nextLine()).toMatch(/desk-1 {2}no face$/)
})

it('[TL4] says in one sentence that nothing listens there', async () => {
  const gone = await openRealRelay()
  await gone[Symbol.asyncDispose]()
  await using tail = openTail('--url', gone.url)
  expect(await tail.nextErrorLine()).toContain(`No relay answers at ${gone.url}. Start one with "npm start"`)
  expect(await tail.ended).toBe(1)
})
