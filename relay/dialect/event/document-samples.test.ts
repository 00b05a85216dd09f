/**
 * The client programs printed in YektaYar's own document, run as they stand: only ports, tokens and the import that the text leaves out are put
 * in. The document is no part of this project: SEMBLANTE_DOCUMENTS names the folder where it lies; `event-conformance.test.ts` has our equivalents.
 */
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { openProgram, type ChildProgram } from '../../../scripts/testing/child-program.ts'
import { startTestRelay, type TestRelay } from '../../testing/test-relay.ts'

const file = join(process.env['SEMBLANTE_DOCUMENTS'] ?? '', 'yektayar-websocket.en.md')
const isThere = process.env['SEMBLANTE_DOCUMENTS'] !== undefined && existsSync(file)

/** The first block of JavaScript below a heading. */
function sampleBelow(heading: string): string {
  const text = readFileSync(file, 'utf8')
  const [, code] = /```javascript\n([^]*?)```/.exec(text.slice(text.indexOf(`### ${heading}`))) ?? []
  if (code === undefined) throw new Error(`no sample below ${heading}`)
  return code
}

/** Where a program finds the packages of this project. */
const MODULES = fileURLToPath(new URL('../../../node_modules/', import.meta.url))

async function runSample(relay: TestRelay, { code, before = '' }: { code: string; before?: string }): Promise<ChildProgram> {
  const own = relay.compatPorts.find(({ dialect }) => dialect === 'event')
  const token = await relay.acquireToken()
  const placed = code
    .replaceAll('localhost:3000', `localhost:${String(relay.port)}`)
    .replaceAll('localhost:3500', `localhost:${String(own?.port)}`)
    .replaceAll('YOUR_SESSION_TOKEN', token)
  const folder = await mkdtemp(join(MODULES, '.semblante-sample-'))
  await writeFile(join(folder, 'sample.mjs'), `${before}${placed}`)
  const program = openProgram(process.execPath, [join(folder, 'sample.mjs')])
  return {
    ...program,
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]()
      await rm(folder, { recursive: true })
    },
  }
}

/** Reads lines until one has the text. */
async function expectLine(program: ChildProgram, text: string): Promise<void> {
  while (!(await program.nextLine()).includes(text));
}

const start = (): Promise<TestRelay> =>
  startTestRelay({ settings: { COMPAT_PORTS: '0:event', COMPAT_AUTH: 'token', HOST: 'localhost', COMPAT_HOST: 'localhost' } })

describe.skipIf(!isThere)('samples of the document (skipped: set SEMBLANTE_DOCUMENTS to the folder with yektayar-websocket.en.md)', () => {
  it('[DS1] the Socket.IO client connects to the main port and to its own, and is answered', async () => {
    await using relay = await start()
    await using program = await runSample(relay, { code: sampleBelow('Socket.IO Client') })
    await expectLine(program, 'Connected: {')
    await expectLine(program, 'Pong: {')
    // Both of them.
    while (relay.relay.measure().connections < 2) await nextTurn()
  })
  it('[DS2] the native client connects by query and by header, and is answered', async () => {
    await using relay = await start()
    await using program = await runSample(relay, { code: sampleBelow('Native WebSocket Client'), before: "import WebSocket from 'ws'\n" })
    await expectLine(program, 'Connected')
    await expectLine(program, "event: 'pong'")
    while (relay.relay.measure().connections < 2) await nextTurn()
  })
  it('[DS3] a session is acquired as the document says, on both ports', async () => {
    await using relay = await start()
    for (const { port } of [{ port: relay.port }, ...relay.compatPorts]) {
      const response = await fetch(`http://localhost:${String(port)}/api/auth/acquire-session`, { method: 'POST' })
      expect(await response.json()).toEqual({
        success: true,
        data: { token: expect.stringMatching(/^[\w-]{43}$/), expiresAt: expect.any(String) },
      })
    }
  })
})

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
