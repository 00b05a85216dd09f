/** Our client of YektaYar's events, as its owner would run it, against the real relay. */
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openProgram, type ChildProgram } from '../../scripts/testing/child-program.ts'
import { openClient, openRealRelay, type RealRelay } from '../../scripts/testing/real-relay.ts'

const script = fileURLToPath(new URL('events.mjs', import.meta.url))
let relay: RealRelay

beforeAll(async () => {
  relay = await openRealRelay()
})
afterAll(() => relay[Symbol.asyncDispose]())

describe.each([
  ['Socket.IO', []],
  ['native events', ['--native']],
])('events.mjs over %s', (_name, flags) => {
  const open = (...words: string[]): ChildProgram => openProgram(process.execPath, [script, '--url', relay.url, ...flags, ...words])

  it.each([
    [['ping'], /^pong \{"timestamp":/],
    [['status'], /^status_response \{"server":\{"name":"YektaYar API Server"/],
    [['info'], /^info_response /],
    [['echo', '{"message":"hi"}'], /^echo_response \{"received":\{"message":"hi"\}/],
    [['echo', 'Hello', 'World'], /^echo_response \{"received":"Hello World"/],
    [['message', '{"content":"hi"}'], /^message_received \{"success":true/],
  ])('[EX40] %j prints its answer', async (words, line) => {
    await using program = open(...words)
    expect(await program.nextLine()).toMatch(line)
    expect(await program.ended).toBe(0)
  })
  it('[EX41] chat says what went wrong: no chat server is configured', async () => {
    await using program = open('chat', 'Hello')
    expect(await program.nextErrorLine()).toContain('ASSISTANT_URL')
    expect(await program.ended).toBe(1)
  })
  it('[EX42] listen prints what is published by anybody', async () => {
    using other = openClient(relay)
    await using program = open('listen', 'app/examples')
    // Published again until the listener is there.
    const publishing = setInterval(() => void other.publish('app/examples', { n: 1 }), 50)
    expect(await program.nextLine()).toMatch(/^app\/examples \d+: \{"n":1\}$/)
    clearInterval(publishing)
  })
  it('[EX43] a wrong token is told', async () => {
    await using program = open('--token', 'wrong', 'ping')
    expect(await program.nextErrorLine()).toBe('Invalid or expired session token')
    expect(await program.ended).toBe(1)
  })
})

it('[EX44] without a task it tells how it is used', async () => {
  await using program = openProgram(process.execPath, [script])
  expect(await program.nextErrorLine()).toMatch(/^events\.mjs/)
  expect(await program.ended).toBe(2)
})
