/**
 * Asks a VisionAI server, or this relay in its place, which emotion pictures show. Needs only the `ws` package.
 *
 *   node vision-client.mjs face.jpg            one picture
 *   node vision-client.mjs --folder pictures   every .jpg, .png and .jpeg in it, one after the other
 *   node vision-client.mjs --emotions          what can be answered
 *   node vision-client.mjs --model-info        what reads
 *   node vision-client.mjs --health            whether it is well
 *
 * `--url ws://host:port` (or VISIONAI_URL) for another server than ws://localhost:8000.
 */
import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { WebSocket } from 'ws'

/** In this order, as written: a .JPG is left out. */
const ENDINGS = ['.jpg', '.png', '.jpeg']
const PAUSE_MS = 300
const USAGE = 'Uso: node vision-client.mjs IMAGEN | --folder CARPETA | --emotions | --model-info | --health [--url ws://HOST:PUERTO]'

const { values: flags, positionals } = readArguments()
const [picture] = positionals
const server = await connect(flags.url ?? process.env.VISIONAI_URL ?? 'ws://localhost:8000')
try {
  if (flags.emotions) await showEmotions()
  else if (flags['model-info']) await showModel()
  else if (flags.health) await showHealth()
  else if (flags.folder !== undefined) await readFolder(flags.folder)
  else await readOne(picture)
} catch (error) {
  fail(error.message)
} finally {
  server.close()
}

function readArguments() {
  const flag = { type: 'boolean' }
  const options = { folder: { type: 'string' }, url: { type: 'string' }, emotions: flag, 'model-info': flag, health: flag }
  try {
    const read = parseArgs({ options, allowPositionals: true })
    const isAsked = read.values.emotions || read.values['model-info'] || read.values.health || read.values.folder !== undefined
    if (isAsked || read.positionals.length === 1) return read
  } catch (error) {
    console.error(error.message)
  }
  console.error(USAGE)
  process.exit(2)
}

/** The welcome comes first; then one answer to each question, in order. */
async function connect(url) {
  const socket = new WebSocket(url)
  const answers = []
  let wake = () => {}
  socket.on('message', (text) => (answers.push(JSON.parse(text.toString())), wake()))
  socket.on('close', () => wake())
  socket.on('error', (error) => {
    fail(`${url}: ${error.message}`)
    wake()
  })
  const next = async () => {
    while (answers.length === 0) {
      if (socket.readyState === WebSocket.CLOSED) throw new Error(`${url} ha cerrado la conexión`)
      await new Promise((resolve) => (wake = resolve))
    }
    return answers.shift()
  }
  try {
    await next()
  } catch (error) {
    console.error(error.message)
    process.exit(1)
  }
  return {
    async ask(question) {
      socket.send(JSON.stringify(question))
      return await next()
    },
    close: () => socket.close(),
  }
}

async function predict(path) {
  const image = (await readFile(path)).toString('base64')
  return await server.ask({ command: 'predict', image })
}

async function readOne(path) {
  const answer = await predict(path)
  if (answer.type === 'error') return fail(answer.message)
  console.log(`Emoción: ${answer.emotion_name}`)
  console.log(`Confianza: ${toPercent(answer.confidence)}`)
  console.log(`Modelo: ${answer.model_version_tag}`)
  console.log(`Tiempo: ${answer.processing_time_ms} ms`)
}

async function readFolder(folder) {
  const files = await readdir(folder)
  const pictures = ENDINGS.flatMap((ending) => files.filter((name) => extname(name) === ending))
  if (pictures.length === 0) return console.log(`No hay imágenes en '${folder}'`)
  for (const [index, name] of pictures.entries()) {
    console.log(`[${index + 1}/${pictures.length}] ${name}`)
    const answer = await predict(join(folder, name))
    console.log(answer.type === 'error' ? `→ Error: ${answer.message}` : `→ ${answer.emotion_name} (${toPercent(answer.confidence)})`)
    await pause(PAUSE_MS)
  }
  console.log('Todas las imágenes procesadas')
}

async function showEmotions() {
  const { emotions } = orThrow(await server.ask({ command: 'emotions' }))
  for (const { id, name, description } of emotions) console.log(`${id}. ${name}: ${description}`)
}

async function showModel() {
  const { info } = orThrow(await server.ask({ command: 'model_info' }))
  for (const [name, value] of Object.entries(info)) console.log(`${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
}

async function showHealth() {
  const { status, service, timestamp, clients_connected: clients } = orThrow(await server.ask({ command: 'health' }))
  console.log(`Estado: ${status}`)
  console.log(`Servicio: ${service}`)
  console.log(`Hora: ${timestamp}`)
  console.log(`Clientes conectados: ${clients}`)
}

function orThrow(answer) {
  if (answer.type === 'error') throw new Error(answer.message)
  return answer
}

function toPercent(fraction) {
  return `${(fraction * 100).toFixed(2)}%`
}

function fail(text) {
  console.error(`Error: ${text}`)
  process.exitCode = 1
}
