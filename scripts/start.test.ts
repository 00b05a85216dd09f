import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { writeSettingsHelp } from '../relay/config/settings-help.ts'

let page = ''

beforeEach(async () => {
  page = await mkdtemp(join(tmpdir(), 'semblante-page-'))
  await writeFile(join(page, 'index.html'), '<!doctype html><title>page</title>')
})

afterEach(async () => {
  await rm(page, { recursive: true, force: true })
})

/** `npm start` with a page that is built already. */
function start(environment: Readonly<Record<string, string>>, words: readonly string[] = []) {
  const child = spawn(process.execPath, ['scripts/start.mjs', ...words], {
    env: { ...process.env, HOST: '127.0.0.1', PORT: '0', STATIC_DIR: page, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = { text: '', errors: '' }
  child.stdout.on('data', (chunk: Buffer) => (output.text += chunk.toString('utf8')))
  child.stderr.on('data', (chunk: Buffer) => (output.errors += chunk.toString('utf8')))
  return { child, output, closed: once(child, 'close') }
}

it('[ST3] a busy port is one clear sentence and a failure', async () => {
  const holder = createServer()
  holder.listen(0, '127.0.0.1')
  await once(holder, 'listening')
  const address = holder.address()
  const port = typeof address === 'object' && address !== null ? String(address.port) : ''
  const { child, output, closed } = start({ PORT: port })
  await closed
  holder.close()
  expect(child.exitCode).toBe(1)
  expect(output.errors.trim()).toMatch(new RegExp(`^Port ${port} is in use[^\\n]*$`))
})

it('[ST4] a folder without a page is one clear sentence and a failure', async () => {
  await rm(join(page, 'index.html'))
  const { child, output, closed } = start({})
  await closed
  expect(child.exitCode).toBe(1)
  expect(output.errors.trim()).toMatch(/^There is no built page in [^\n]*$/)
})

it('[ST5] prints the page, how to get a token and how to listen; SIGTERM ends it well', async () => {
  const { child, output, closed } = start({})
  await expect.poll(() => output.text, { timeout: 20_000 }).toContain('Listen')
  const origin = /Page\s+(http:\/\/127\.0\.0\.1:\d+)\//.exec(output.text)?.[1]
  expect(output.text).toContain(`${origin}/api/auth/acquire-session`)
  expect(await (await fetch(`${origin}/health`)).text()).toBe('OK')
  child.kill('SIGTERM')
  await closed
  expect(child.exitCode).toBe(0)
})

it('[ST6] -h goes through to the relay, and nothing is built for it', async () => {
  const { child, output, closed } = start({ STATIC_DIR: '' }, ['-h'])
  await closed
  expect(child.exitCode).toBe(0)
  expect(output.text).toBe(writeSettingsHelp())
})
