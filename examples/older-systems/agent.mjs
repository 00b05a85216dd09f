// A client of Zephyrus' agent protocol, for the server it was written for and for this relay. Needs only the `ws` package:
//   node examples/older-systems/agent.mjs [--url ws://localhost:8080] [--token TOKEN] AGENT
//                                         create [JSON] | add | configure JSON | start | stop | remove | execute [JSON] | say TYPE [JSON] | watch
// AGENT becomes part of the URL (/ws/agent/AGENT), unless --url has a path of its own. `create` takes the fields of create_agent. `watch` prints
// everything the agent hears. The other tasks end with 0 once their answer has come, with 1 after an error.
import { WebSocket } from 'ws'

const USAGE =
  'agent.mjs [--url URL] [--token TOKEN] AGENT create [JSON] | add | configure JSON | start | stop | remove | execute [JSON] | say TYPE [JSON] | watch'
/** Without an answer for so long, a task has failed. An execution may take its minute. */
const ANSWER_TIMEOUT_MS = 70_000

const words = process.argv.slice(2)
const base = takeOption('--url') ?? 'ws://localhost:8080'
const token = takeOption('--token')
const [agent, task, ...rest] = words

/** The message of each task, and what ends it. */
const TASKS = {
  create: { type: 'create_agent', data: () => ({ contractId: 'none', ...readJson(rest[0]) }), ends: ['create_agent_response'] },
  add: { type: 'add_agent', ends: ['agent_added'] },
  configure: { type: 'configure_agent', data: () => readJson(rest[0]), ends: ['agent_configured'] },
  start: { type: 'start_agent', ends: ['agent_started'] },
  stop: { type: 'stop_agent', ends: ['agent_stopped'] },
  remove: { type: 'remove_agent', ends: ['agent_removed'] },
  execute: { type: 'execute', data: () => readJson(rest[0]), ends: ['execute_response'] },
  say: { type: rest[0], data: () => readJson(rest[1]), ends: [`${rest[0]}_response`] },
  watch: { ends: [] },
}

if (agent === undefined || !Object.hasOwn(TASKS, task ?? '') || (task === 'say' && rest[0] === undefined)) {
  console.error(USAGE)
  process.exit(2)
}
const { type, data = () => ({}), ends } = TASKS[task]
const message = type === undefined ? undefined : { type, data: { ...data(), agent_id: agent } }
const url = new URL(base)
if (url.pathname === '/') url.pathname = `/ws/agent/${encodeURIComponent(agent)}`

const socket = new WebSocket(url, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } })
const timer = task === 'watch' ? undefined : setTimeout(() => finish(1, 'no answer came'), ANSWER_TIMEOUT_MS)
socket.on('open', () => (message === undefined ? console.error(`hearing ${agent}`) : socket.send(JSON.stringify(message))))
socket.on('message', (bytes, isBinary) => (isBinary ? console.log(`${bytes.length} bytes`) : hear(bytes.toString())))
socket.on('unexpected-response', (_request, response) => finish(1, `refused with ${response.statusCode}`))
socket.on('error', (error) => finish(1, error.message))
socket.on('close', (code) => finish(1, `closed with ${code}`))

function hear(text) {
  console.log(text)
  const answer = parse(text)
  if (task === 'watch' || answer === undefined) return
  if (answer.type === 'error' || answer.data?.status === 'error') finish(1, answer.data.message)
  else if (ends.includes(answer.type) && answer.data?.status !== 'processing') finish(0)
}

function finish(status, reason) {
  clearTimeout(timer)
  if (reason !== undefined) console.error(reason)
  socket.removeAllListeners('close')
  socket.on('error', () => {})
  socket.terminate()
  process.exitCode = status
}

function parse(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function readJson(text) {
  if (text === undefined) return {}
  const value = parse(text)
  if (typeof value === 'object' && value !== null) return value
  console.error(`expected JSON, got ${text}`)
  process.exit(2)
}

function takeOption(name) {
  const at = words.indexOf(name)
  return at === -1 ? undefined : words.splice(at, 2)[1]
}
