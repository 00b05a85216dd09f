// A client of YektaYar's events, for the server it was written for and for this relay. Needs the package `socket.io-client`, or with --native `ws`:
//   node examples/older-systems/events.mjs [--url http://localhost:3500] [--native] [--token TOKEN] [--session http://localhost:3000]
//                                          ping | status | info | echo DATA | message DATA | chat TEXT | listen TOPIC
// DATA is JSON, or a text. Without --token a session is acquired first, at --session where that is another address. `listen` is this relay's.
const USAGE =
  'events.mjs [--url URL] [--native] [--token TOKEN] [--session URL] ping|status|info|echo DATA|message DATA|chat TEXT|listen TOPIC'
/** Without any event for so long, a task has failed. */
const SILENCE_MS = 30_000

const words = process.argv.slice(2)
const isNative = takeFlag('--native')
const url = takeOption('--url') ?? 'http://localhost:3500'
const session = takeOption('--session') ?? url
const given = takeOption('--token')
const [task = '', ...rest] = words
const text = rest.join(' ')

/** What each task says, what answers it, and whether that was the end: a number is the exit status. */
const TASKS = {
  ping: { event: 'ping', hear: expectAnswer('pong') },
  status: { event: 'status', hear: expectAnswer('status_response') },
  info: { event: 'info', hear: expectAnswer('info_response') },
  echo: { event: 'echo', data: readData(text), hear: expectAnswer('echo_response') },
  message: { event: 'message', data: readData(text), hear: expectAnswer('message_received') },
  chat: { event: 'ai:chat', data: { message: text, conversationHistory: [], locale: 'en' }, hear: hearChat },
  listen: { event: 'subscribe', data: { topic: text }, hear: hearTopic, isEndless: true },
}

if (!Object.hasOwn(TASKS, task) || (['echo', 'message', 'chat', 'listen'].includes(task) && text === '')) {
  console.error(USAGE)
  process.exit(2)
}
let timer
let isOver = false
let close = () => {}
run(TASKS[task]).catch((error) => finish(1, error.message))

async function run({ event, data, hear, isEndless = false }) {
  const open = isNative ? openNative : openSocketIo
  const waitOn = () => {
    clearTimeout(timer)
    if (!isEndless) timer = setTimeout(() => finish(1, 'No answer.'), SILENCE_MS)
  }
  const emit = await open(given ?? (await acquireToken()), (name, payload) => {
    waitOn()
    const status = hear(name, payload)
    if (status !== undefined) finish(status)
  })
  waitOn()
  emit(event, data)
}

async function acquireToken() {
  const response = await fetch(new URL('/api/auth/acquire-session', session), { method: 'POST' })
  const { success, data, message } = await response.json()
  if (!success) throw new Error(`No session: ${message}`)
  return data.token
}

async function openSocketIo(token, onEvent) {
  const { io } = await import('socket.io-client')
  const socket = io(url, { auth: { token }, transports: ['websocket', 'polling'], reconnection: false })
  close = () => socket.disconnect()
  socket.onAny(onEvent)
  socket.on('disconnect', (reason) => finish(1, `Disconnected: ${reason}`))
  await new Promise((resolve, reject) => {
    socket.once('connected', resolve)
    socket.once('connect_error', reject)
  })
  return (event, data) => (data === undefined ? socket.emit(event) : socket.emit(event, data))
}

async function openNative(token, onEvent) {
  const { WebSocket } = await import('ws')
  const socket = new WebSocket(new URL('/ws', url.replace(/^http/, 'ws')), { headers: { authorization: `Bearer ${token}` } })
  close = () => socket.close()
  await new Promise((resolve, reject) => {
    socket.once('message', resolve)
    socket.once('error', reject)
    socket.once('unexpected-response', (_request, response) => response.once('data', (body) => reject(new Error(String(body)))))
  })
  socket.on('close', (code) => finish(1, `Disconnected: ${code}`))
  socket.on('message', (frame) => {
    const { event, data } = JSON.parse(frame)
    onEvent(event, data)
  })
  return (event, data) => socket.send(JSON.stringify({ event, data }))
}

function expectAnswer(answer) {
  return (name, data) => {
    if (name !== answer && name !== 'error') return undefined
    console.log(`${name} ${JSON.stringify(data)}`)
    return name === answer ? 0 : 1
  }
}

function hearChat(name, data) {
  if (name === 'ai:response:chunk') process.stdout.write(data.chunk)
  if (name === 'ai:response:error') console.error(data.error)
  if (name === 'ai:response:complete') console.log()
  return { 'ai:response:complete': 0, 'ai:response:error': 1 }[name]
}

function hearTopic(name, data) {
  if (name === 'message') console.log(`${data.topic} ${data.seq}: ${JSON.stringify(data.data)}`)
  if (name === 'gap') console.log(`${data.topic}: ${data.from} to ${data.to} are lost`)
  if (name === 'error') console.error(data.error)
  return name === 'error' ? 1 : undefined
}

/** JSON where it is some, else the text itself. */
function readData(words) {
  try {
    return JSON.parse(words)
  } catch {
    return words
  }
}

function finish(status, problem) {
  if (isOver) return
  isOver = true
  clearTimeout(timer)
  if (problem !== undefined) console.error(problem)
  process.exitCode = status
  close()
}

function takeFlag(name) {
  const at = words.indexOf(name)
  if (at !== -1) words.splice(at, 1)
  return at !== -1
}

function takeOption(name) {
  const at = words.indexOf(name)
  return at === -1 ? undefined : words.splice(at, 2)[1]
}
