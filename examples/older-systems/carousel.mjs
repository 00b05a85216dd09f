// A client of carousel_api's WebSocket protocol, for the server it was written for and for this relay. Needs only the `ws` package:
//   node examples/older-systems/carousel.mjs [--url ws://localhost:8765] list | status [MACHINE] | watch [MACHINE...]
//                                            | move MACHINE POSITION | command MACHINE CODE [ARGUMENT]
import { WebSocket } from 'ws'

const USAGE =
  'carousel.mjs [--url URL] list | status [MACHINE] | watch [MACHINE...] | move MACHINE POSITION | command MACHINE CODE [ARGUMENT]'
/** The longest way round takes a while. */
const MOVE_TIMEOUT_MS = 180_000
const ANSWER_TIMEOUT_MS = 35_000

const words = process.argv.slice(2)
const urlAt = words.indexOf('--url')
const url = urlAt === -1 ? 'ws://localhost:8765' : words.splice(urlAt, 2)[1]
const [task, ...rest] = words

/** What each task says after the welcome, and what it does with what comes: true when it is done, a text when it has failed. */
const TASKS = {
  list: () => ({ ask: [], hear: ({ type, machines }) => type === 'welcome' && printMachines(machines ?? []) }),
  status: ([machine]) => ({
    ask: [{ type: 'get_status', ...(machine === undefined ? {} : { machine_id: machine }) }],
    hear(message) {
      if (message.type === 'machine_status' || message.type === 'status') return printStatus(message.machine_id ?? 'status', message)
      if (message.type !== 'all_machines_status') return false
      for (const [id, entry] of Object.entries(message.status)) printStatus(id, entry)
      return true
    },
  }),
  watch: (machines) => ({
    ask: [{ type: 'subscribe', subscription_type: 'all_events', ...(machines.length === 0 ? {} : { machine_ids: machines }) }],
    hear(message) {
      if (message.type === 'status_broadcast') for (const [id, entry] of Object.entries(message.status)) printStatus(id, entry)
      if (message.type === 'command_executed') console.log(`${message.machine_id}: command ${message.command} ${message.argument ?? ''}`)
      return false
    },
  }),
  move: ([machine, position]) => ({
    timeoutMs: MOVE_TIMEOUT_MS,
    ask: [
      { type: 'subscribe', subscription_type: 'status_updates', machine_ids: [machine] },
      { type: 'send_command', machine_id: machine, command: { command: 1, argument: Number(position) } },
    ],
    hear: createArrival(machine, Number(position)),
  }),
  command: ([machine, code, argument]) => ({
    ask: [
      {
        type: 'send_command',
        machine_id: machine,
        command: { command: Number(code), ...(argument === undefined ? {} : { argument: Number(argument) }) },
      },
    ],
    hear: (message) => message.type === 'command_result' && printResult(message),
  }),
}
const LEAST_WORDS = { list: 0, status: 0, watch: 0, move: 2, command: 2 }

if (!Object.hasOwn(TASKS, task ?? '') || rest.length < LEAST_WORDS[task] || url === undefined) {
  console.error(USAGE)
  process.exit(2)
}
run(TASKS[task](rest))

function run({ ask, hear, timeoutMs = task === 'watch' ? undefined : ANSWER_TIMEOUT_MS }) {
  const socket = new WebSocket(url)
  const finish = (status, text) => {
    if (text !== undefined) console.error(text)
    process.exitCode = status
    clearTimeout(timer)
    socket.terminate()
  }
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => finish(1, 'No answer came in time.'), timeoutMs)
  socket.on('message', (data) => {
    const message = JSON.parse(data.toString())
    const end = message.type === 'error' ? `${message.code}: ${message.error}` : hear(message)
    if (end === true) finish(0)
    else if (typeof end === 'string') finish(1, end)
    else if (message.type === 'welcome') for (const question of ask) socket.send(JSON.stringify(question))
  })
  socket.on('error', ({ message }) => finish(1, message))
  socket.on('close', (code) => finish(process.exitCode ?? 1, process.exitCode === undefined ? `closed with ${code}` : undefined))
}

/** Arrived is: obeyed, at the bucket, and standing still. */
function createArrival(machine, position) {
  let isObeyed = false
  return (message) => {
    if (message.type === 'command_result') isObeyed = printResult(message)
    const entry = message.type === 'status_broadcast' ? message.status[machine] : undefined
    if (entry === undefined) return false
    printStatus(machine, entry)
    if (entry.status.ALARMA === 'Activa') return `${machine} reports an alarm.`
    return isObeyed && entry.position === position && entry.status.RUN === 'Detenido'
  }
}

function printMachines(machines) {
  for (const { id, name, type } of machines) console.log(`${id}: ${name} (${type})`)
  if (machines.length === 0) console.log('one machine, without a name')
  return true
}
function printStatus(id, { status, position, connection_status, error }) {
  if (typeof status?.READY !== 'string') return false
  console.log(
    `${id}: position ${position}, ${status.READY}, ${status.RUN ?? '?'}, ${connection_status ?? ''}${error === undefined ? '' : `, ${error}`}`,
  )
  return true
}
function printResult({ machine_id, data }) {
  console.log(`${machine_id}: ${data.result}`)
  return true
}
