/** The two example backends as their reader would run them: the real relay in front, plain WebSockets as clients. */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, vi } from 'vitest'
import { WebSocket } from 'ws'
import { openProgram } from '../../scripts/testing/child-program.ts'
import { findFreePort, openRealRelay } from '../../scripts/testing/real-relay.ts'

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const TOKEN = 'a-token-of-the-operator-0123456789'

interface Guest {
  readonly socket: WebSocket
  /** The next text. */
  next(): Promise<string>
}

async function join(url: string): Promise<Guest> {
  const socket = new WebSocket(url)
  const texts: string[] = []
  socket.on('message', (text: Buffer) => void texts.push(text.toString()))
  await once(socket, 'open')
  return {
    socket,
    async next() {
      while (texts.length === 0) await once(socket, 'message')
      return texts.shift() ?? ''
    },
  }
}

async function expectToChat(command: string, script: string): Promise<void> {
  const port = await findFreePort()
  vi.stubEnv('RELAY_TOKEN', TOKEN)
  await using relay = await openRealRelay(0, { ADMIN_TOKEN: TOKEN, UPSTREAMS: `/ws/app=http://127.0.0.1:${String(port)}` })
  await using program = openProgram(command, [at(script), relay.url, String(port)])
  expect(await program.nextLine()).toMatch(/^the chat \{peer\|[\w-]+\} waits for questions on port \d+$/)
  const url = `${relay.url.replace('http', 'ws')}/ws/app`

  const refused = await fetch(url.replace('ws:', 'http:'))
  expect([refused.status, await refused.text()]).toEqual([401, 'Say who you are: ?name=…\n'])
  const ada = await join(`${url}?name=Ada`)
  expect(await ada.next()).toBe('Ada is here')
  const jose = await join(`${url}?name=Jos%C3%A9`)
  for (const guest of [ada, jose]) expect(await guest.next()).toBe('José is here')
  jose.socket.send('hola')
  for (const guest of [ada, jose]) expect(await guest.next()).toBe('José: hola')
  const closed = once(jose.socket, 'close')
  jose.socket.send('/quit')
  const [code, reason] = await closed
  expect([code, String(reason)]).toEqual([4000, 'bye'])
  expect(await ada.next()).toBe('José has left')
  program.signal('SIGKILL')
  const [lastCode, lastReason] = await once(ada.socket, 'close')
  expect([lastCode, String(lastReason)]).toEqual([1000, 'target process exited'])
}

it('[WX1] the backend in Node lets people in, passes on what they say, sees them leave', async () => {
  await expectToChat(process.execPath, 'processes-node/backend.mjs')
})

/** The first Python that has the package; a version manager's often has not. */
const python = ['python3', '/usr/bin/python3'].find((command) => spawnSync(command, ['-c', 'import websockets']).status === 0)

describe.skipIf(python === undefined)('with Python and its package websockets (skipped where there is none)', () => {
  it('[WX2] the backend in Python does the same', async () => {
    await expectToChat(python ?? '', 'processes-python/backend.py')
  })
})
