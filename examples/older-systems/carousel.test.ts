/** carousel_api's clients, each as its owner would run it, against the real relay: ours, and those that its document prints. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openProgram, type ChildProgram } from '../../scripts/testing/child-program.ts'
import { findFreePort, openRealRelay, type RealRelay } from '../../scripts/testing/real-relay.ts'
import { isMissing, readSamples, writeSample } from './testing/document-samples.ts'

const DOCUMENT = 'carousel-api-websocket.es.md'
/** The port in the document. */
const PORT = /\b8765\b/g
const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
/** The first Python that has the package; a version manager's often has not. */
const python = ['python3', '/usr/bin/python3'].find((command) => spawnSync(command, ['-c', 'import websockets']).status === 0)

let relay: RealRelay
let port = 0
let url = ''

beforeAll(async () => {
  port = await findFreePort()
  url = `ws://127.0.0.1:${String(port)}`
  relay = await openRealRelay(0, { COMPAT_PORTS: `${String(port)}:carousel`, COMPAT_ROLE: 'operator' })
})
afterAll(() => relay[Symbol.asyncDispose]())

/** Skips lines until one fits; rejects when the program ends before. */
async function lineOf(program: ChildProgram, fits: RegExp, read = program.nextLine): Promise<string> {
  for (;;) {
    const line = await read()
    if (fits.test(line)) return line
  }
}

const CLIENTS = [
  { name: 'Node', command: process.execPath, script: 'carousel.mjs', isMissing: false },
  { name: 'Python', command: python ?? '', script: 'carousel.py', isMissing: python === undefined },
]

describe.each(CLIENTS)('our client in $name', ({ command, script, isMissing: isLeftOut }) => {
  const open = (...words: string[]): ChildProgram => openProgram(command, [at(script), '--url', url, ...words])

  it.skipIf(isLeftOut)('[EX20] lists the machines', async () => {
    await using program = open('list')
    expect(await program.nextLine()).toBe('machine_1: Carrusel Principal (Simulator)')
    expect(await program.nextLine()).toBe('machine_2: Carrusel Secundario (Simulator)')
    expect(await program.ended).toBe(0)
  })
  it.skipIf(isLeftOut)('[EX21] commands a machine, then shows it', async () => {
    await using stopping = open('command', 'machine_2', '2')
    expect(await stopping.nextLine()).toBe('machine_2: Comando ejecutado correctamente')
    expect(await stopping.ended).toBe(0)
    await using showing = open('status', 'machine_2')
    expect(await showing.nextLine()).toMatch(/^machine_2: position \d, OK, (Detenido|En movimiento), /)
    expect(await showing.ended).toBe(0)
  })
  it.skipIf(isLeftOut)('[EX22] moves a machine and waits until it is there', async () => {
    await using stopping = open('command', 'machine_2', '2')
    expect(await stopping.ended).toBe(0)
    await using watching = open('watch', 'machine_2')
    const still = await lineOf(watching, /Detenido/)
    const target = (Number(/position (\d)/.exec(still)?.[1]) + 1) % 10
    await using moving = open('move', 'machine_2', String(target))
    await lineOf(moving, /^machine_2: Comando ejecutado correctamente$/)
    await lineOf(moving, new RegExp(`^machine_2: position ${String(target)}, OK, Detenido, `))
    expect(await moving.ended).toBe(0)
    await lineOf(watching, new RegExp(`^machine_2: command 1 ${String(target)}$`))
  })
  it.skipIf(isLeftOut)('[EX23] says what the server refuses, and fails', async () => {
    await using program = open('status', 'machine_9')
    expect(await program.nextErrorLine()).toBe("MACHINE_NOT_FOUND: Error obteniendo estado: Máquina 'machine_9' no encontrada")
    expect(await program.ended).toBe(1)
  })
  it.skipIf(isLeftOut)('[EX24] says how it is called, and fails', async () => {
    await using program = open('dance')
    expect(await program.nextErrorLine()).toMatch(/carousel\.(mjs|py)/)
    expect(await program.ended).toBe(2)
  })
})

// The samples are not part of this project: they run where SEMBLANTE_DOCUMENTS names a folder with the documents.
describe.skipIf(isMissing(DOCUMENT))(
  'the samples of the document, word for word but for the port (skipped without SEMBLANTE_DOCUMENTS)',
  () => {
    const scripts = (): readonly string[] => readSamples(DOCUMENT, 'javascript').map((code) => code.replace(PORT, String(port)))
    const programs = (): readonly string[] => readSamples(DOCUMENT, 'python').map((code) => code.replace(PORT, String(port)))
    const run = (path: string): ChildProgram => openProgram(process.execPath, ['--import', at('testing/global-web-socket.mjs'), path])

    it('[EX25] has three in JavaScript and two in Python', () => {
      expect(scripts()).toHaveLength(3)
      expect(programs()).toHaveLength(2)
    })
    it('[EX26] JavaScript: a connection', async () => {
      using sample = writeSample(scripts()[0] ?? '', 'mjs')
      await using program = run(sample.path)
      expect(await program.nextLine()).toBe('Conectado al WebSocket')
      expect(await program.nextLine()).toBe('Mensaje recibido: {')
      expect(await program.nextLine()).toBe("  type: 'welcome',")
      await lineOf(program, /^ {2}type: 'status_broadcast',$/)
    })
    it('[EX27] JavaScript: the whole client', async () => {
      using sample = writeSample(scripts()[1] ?? '', 'mjs')
      await using program = run(sample.path)
      await lineOf(program, /^Conectado al WebSocket$/)
      await lineOf(program, /^Bienvenida recibida: /)
      await lineOf(program, /^Estado actualizado: /)
      await lineOf(program, /^ {2}machine_1: \{$/)
    })
    it('[EX28] JavaScript: coming back', async () => {
      // The sample only defines how: a socket that is closed must be opened anew.
      const use = `\nconst ws = new WebSocket('ws://localhost:${String(port)}')\nsetupReconnection(ws, 'ws://localhost:${String(port)}')\nws.onmessage = () => ws.close()\n`
      using sample = writeSample(`${scripts()[2] ?? ''}${use}`, 'mjs')
      await using program = run(sample.path)
      expect(await program.nextErrorLine()).toBe('socket open')
      expect(await program.nextLine()).toBe('Reconectando... (1/5)')
      expect(await program.nextErrorLine()).toBe('socket open')
    })
    it.skipIf(python === undefined)('[EX29] Python: a connection', async () => {
      using sample = writeSample(programs()[0] ?? '', 'py')
      await using program = openProgram(python ?? '', ['-u', sample.path])
      expect(await program.nextLine()).toMatch(/^Bienvenida: \{"type":"welcome",/)
      await lineOf(program, /^Recibido: \{'type': 'machine_status', .*'machine_id': 'machine_1'/)
    })
    it.skipIf(python === undefined)('[EX30] Python: the whole client', async () => {
      using sample = writeSample(programs()[1] ?? '', 'py')
      await using program = openProgram(python ?? '', ['-u', sample.path])
      expect(await program.nextLine()).toBe('Conectado al WebSocket')
      expect(await program.nextLine()).toMatch(/^Bienvenida: \{'type': 'welcome'/)
      expect(await lineOf(program, /^Estado actualizado: /)).toMatch(/'machine_2': \{/)
    })
  },
)
