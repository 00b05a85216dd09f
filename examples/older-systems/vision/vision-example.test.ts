/** The command-line client as its reader would run it, against the real relay, which really reads the pictures. */
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestRelay, type TestRelay } from '../../../relay/testing/test-relay.ts'
import { openProgram, type ChildProgram } from '../../../scripts/testing/child-program.ts'

const CLIENT = fileURLToPath(new URL('vision-client.mjs', import.meta.url))
const PORTRAIT = fileURLToPath(new URL('../../../web/fixtures/astronaut.jpg', import.meta.url))

let relay: TestRelay
let folder = ''

beforeAll(async () => {
  relay = await startTestRelay({ settings: { COMPAT_PORTS: '0:vision' } })
  folder = await mkdtemp(join(tmpdir(), 'semblante-pictures-'))
})
afterAll(async () => {
  await relay[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

function run(...words: readonly string[]): ChildProgram {
  return openProgram(process.execPath, [CLIENT, ...words, '--url', `ws://127.0.0.1:${String(relay.compatPorts[0]?.port)}`])
}

async function lines(program: ChildProgram, count: number): Promise<readonly string[]> {
  const read: string[] = []
  for (let line = 0; line < count; line += 1) read.push(await program.nextLine())
  return read
}

describe('the VisionAI command line', () => {
  it('[VD80] one picture', async () => {
    await using program = run(PORTRAIT)
    const [emotion, confidence] = await lines(program, 2)
    expect(emotion).toBe('Emoción: happy')
    expect(confidence).toMatch(/^Confianza: \d{2,3}\.\d\d%$/)
    expect(await program.ended).toBe(0)
  })

  it('[VD81] --folder: every picture in turn, mistakes among them, nothing else', async () => {
    await using empty = run('--folder', folder)
    expect(await empty.nextLine()).toBe(`No hay imágenes en '${folder}'`)
    await copyFile(PORTRAIT, join(folder, 'b.jpeg'))
    await copyFile(PORTRAIT, join(folder, 'a.jpg'))
    await writeFile(join(folder, 'c.png'), 'no picture')
    await writeFile(join(folder, 'notes.txt'), 'no picture')
    await using program = run('--folder', folder)
    expect(await lines(program, 7)).toEqual([
      '[1/3] a.jpg',
      expect.stringMatching(/^→ happy \(\d{2,3}\.\d\d%\)$/),
      '[2/3] c.png',
      '→ Error: No se pudo procesar la imagen proporcionada.',
      '[3/3] b.jpeg',
      expect.stringMatching(/^→ happy \(\d{2,3}\.\d\d%\)$/),
      'Todas las imágenes procesadas',
    ])
    expect(await program.ended).toBe(0)
  })

  it('[VD82] --emotions, --model-info, --health', async () => {
    await using emotions = run('--emotions')
    expect((await lines(emotions, 7)).at(3)).toBe('4. happy: Felicidad o alegría')
    await using model = run('--model-info')
    expect(await lines(model, 3)).toEqual(['status: loaded', 'input_shape: [48,48,1]', 'num_classes: 7'])
    await using health = run('--health')
    expect(await lines(health, 2)).toEqual(['Estado: healthy', 'Servicio: VisionAI Backend'])
  })

  it('[VD83] says what is wrong: no such file, no server, no question', async () => {
    await using missing = run('nobody.jpg')
    expect(await missing.nextErrorLine()).toContain('nobody.jpg')
    expect(await missing.ended).toBe(1)
    await using away = openProgram(process.execPath, [CLIENT, '--health', '--url', 'ws://127.0.0.1:9'])
    expect(await away.nextErrorLine()).toContain('ws://127.0.0.1:9')
    expect(await away.ended).toBe(1)
    await using nothing = openProgram(process.execPath, [CLIENT])
    expect(await nothing.nextErrorLine()).toMatch(/^Uso: /)
    expect(await nothing.ended).toBe(2)
  })
})
