/**
 * The Python client printed in VisionAI's own document, run word for word but for the port; its page in JavaScript is run in a browser by
 * web/e2e. SEMBLANTE_DOCUMENTS names the folder of the older systems' documents; without it, or without Python's `websockets`, it is skipped.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { openProgram } from '../../../scripts/testing/child-program.ts'
import { startTestRelay } from '../../testing/test-relay.ts'

const folder = process.env['SEMBLANTE_DOCUMENTS']
const python = ['python3', '/usr/bin/python3'].find((command) => spawnSync(command, ['-c', 'import websockets']).status === 0)
const PORTRAIT = fileURLToPath(new URL('../../../web/fixtures/astronaut.jpg', import.meta.url))

/** The one printed program of that language that opens a socket. */
function findSample(language: string, document: string): string {
  const samples = [...document.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, 'g'))].map(([, code = '']) => code)
  const found = samples.filter((code) => code.includes('websockets.connect'))
  if (found.length !== 1 || found[0] === undefined) throw new Error(`${String(found.length)} programs in ${language}`)
  return found[0]
}

describe.skipIf(folder === undefined || python === undefined)(
  'VisionAI’s document (skipped without SEMBLANTE_DOCUMENTS or Python’s websockets)',
  () => {
    it('[VD70] its Python client prints the emotion of a picture', async () => {
      const document = readFileSync(join(folder ?? '', 'visionai-websocket.es.md'), 'utf8')
      await using relay = await startTestRelay({ settings: { COMPAT_PORTS: '0:vision' } })
      const work = mkdtempSync(join(tmpdir(), 'semblante-visionai-'))
      const port = String(relay.compatPorts[0]?.port)
      const program = findSample('python', document).replaceAll('localhost:8000', `127.0.0.1:${port}`)
      // The picture is read from where the program is started.
      writeFileSync(join(work, 'client.py'), `import os\nos.chdir(${JSON.stringify(work)})\n${program}`)
      copyFileSync(PORTRAIT, join(work, 'rostro.jpg'))
      await using run = openProgram(python ?? '', ['-u', join(work, 'client.py')])
      expect(await run.nextLine()).toBe('Bienvenido a VisionAI WebSocket Server')
      expect(await run.nextLine()).toBe('Emoción: happy')
      expect(await run.nextLine()).toMatch(/^Confianza: \d{2,3}\.\d\d%$/)
      expect(await run.ended).toBe(0)
      rmSync(work, { recursive: true })
    })
  },
)
