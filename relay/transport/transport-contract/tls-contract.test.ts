/** Certificate and key: what a wrong one says, and that nothing unencrypted comes in. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createKeptLog } from '#shared/testing/kept-log'
import type { ListenResult } from '../../ports.ts'
import { chooseTransport } from '../choose-transport.ts'
import type { TlsFiles } from '../transport-options.ts'
import { createHeard, PLAIN_WIRES, routesFor, startSubject, TLS_FILES, TLS_WIRES, until } from './contract-kit.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'semblante-tls-'))
  await writeFile(join(folder, 'garbage.pem'), 'no certificate')
  // A key that fits no certificate here: P-256, made once with openssl for this test.
  await writeFile(join(folder, 'other-key.pem'), OTHER_KEY)
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

describe.each(PLAIN_WIRES)('TLS files on $name', ({ choice }) => {
  async function start(tls: TlsFiles): Promise<ListenResult> {
    if (choice === 'memory') throw new Error('no wire')
    const transport = chooseTransport(choice, { routes: routesFor(createHeard()), log: createKeptLog(), tls })
    if (transport === undefined) throw new Error('no binary')
    const result = await transport.start({ host: '127.0.0.1', port: 0 })
    await transport.stop()
    return result
  }
  it.each([
    ['is missing', { certFile: '/nowhere/cert.pem' }, '/nowhere/cert.pem cannot be read'],
    ['has no key', { keyFile: '/nowhere/key.pem' }, '/nowhere/key.pem cannot be read'],
    ['is no certificate', { certFile: 'garbage.pem' }, 'are no PEM certificate with its key'],
    ['has the key of another', { keyFile: 'other-key.pem' }, 'are no PEM certificate with its key'],
  ])('[TT1] says what is wrong when a certificate %s', async (_what, files, expected) => {
    const inFolder = Object.fromEntries(
      Object.entries(files).map(([name, path]) => [name, path.startsWith('/') ? path : join(folder, path)]),
    )
    const result = await start({ ...TLS_FILES, ...inFolder })
    expect(result).toMatchObject({ ok: false, problem: 'tls' })
    expect('detail' in result && result.detail).toContain(expected)
  })
  it('[TT2] starts with a good pair', async () => {
    expect(await start(TLS_FILES)).toMatchObject({ ok: true })
  })
})

describe.each(TLS_WIRES)('$name', (subject) => {
  it('[TT3] answers nothing that is not encrypted', async () => {
    const heard = createHeard()
    await using running = await startSubject(subject, { routes: routesFor(heard) })
    const raw = connect({ host: '127.0.0.1', port: running.port })
    let received = ''
    raw.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')))
    raw.on('error', () => {})
    raw.write('GET /relay HTTP/1.1\r\nHost: a\r\n\r\n')
    await once(raw, 'close')
    expect(received).not.toContain('nothing here')
    const client = await running.connect('/relay')
    client.send('echo still there')
    await until(() => client.received.length === 1)
  })
})

const OTHER_KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgXNBJuO/bZLxTQcv1
XUigRRmaB/FQrNPfZazrBkGDf9ShRANCAATS1JZtv3BTY1I399+ZMXZagrt4qY6i
kTBdVG3Y43ULXQPo/ca3rPEYrDmdY4g270AoFsY2eyBb/I5osLF3VdUl
-----END PRIVATE KEY-----
`
