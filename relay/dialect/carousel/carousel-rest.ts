/**
 * carousel_api's REST API (`/v1/...`), the plain twin of its WebSocket: the same services asked by the same rights, answered in its envelope
 * `{success, data, error, code}` with its statuses and texts. Leaves CORS and the door to the transport and the relay.
 */
import { fail, succeed, type Result } from '#shared/protocol/errors'
import type { MachineInfo, MachineList, MachineStatus } from '#shared/protocol/machine'
import { isRecord } from '#shared/protocol/record'
import type { HttpRequest, HttpResponse, RestCaller, RestRoute } from '../../ports.ts'
import { describeMachine } from './carousel-frames.ts'
import { isByte } from './carousel-request.ts'
import { machineAddress, readCommandDone } from './machine-replies.ts'
import { describeTrouble, toRawStatus, toRawStatusBits, toShippedResult } from './machine-wording.ts'
import { COMMANDING, READING, refuseAtDoor, respond, respondData, respondFailure, respondMistake, unknownMachine } from './rest-answers.ts'
import { answerHealth, refuseHealth } from './rest-health.ts'
import { listMachines, readStatus } from './rest-questions.ts'

/** Of a request's body; longer ones are answered 413, as shipped. */
const BODY_BYTES = 2 * 1024
const STATUS_COMMAND = 0

export function createCarouselRest(): readonly RestRoute[] {
  const door = { door: 'compat', refuse: refuseAtDoor } as const
  return [
    { ...door, path: '/v1/health', methods: ['GET'], answer: (_request, caller) => answerHealth(caller), refuse: refuseHealth },
    { ...door, path: '/v1/status', methods: ['GET'], answer: (_request, caller) => answerOnlyStatus(caller) },
    { ...door, path: '/v1/command', methods: ['POST'], answer: answerOnlyCommand },
    { ...door, path: '/v1/machines', methods: ['GET'], answer: (_request, caller) => answerList(caller) },
    { ...door, path: '/v1/machines/*', methods: ['GET', 'POST'], answer: answerMachine },
  ]
}

// ---------------------------------------------------------------- one machine

function toStatusData(status: MachineStatus): Readonly<Record<string, unknown>> {
  return {
    ...toShippedResult(status),
    raw_status_bin: toRawStatusBits(toRawStatus(status)),
    timestamp: Math.floor(status.time / 1000),
    machine_id: status.machine,
    connection_status: status.connection,
  }
}

async function respondStatus(caller: RestCaller, machine: string): Promise<HttpResponse> {
  const status = await readStatus(caller, machine)
  if (!status.ok) return respondFailure(status.failure, READING, false)
  if (status.value.quality === 'good') return respondData(toStatusData(status.value))
  return respondMistake({ status: 500, code: 'PLC_CONN_ERROR', text: `${READING}: ${describeTrouble(status.value)}` })
}

interface Command {
  readonly method: 'command' | 'move'
  readonly data: Readonly<Record<string, number>>
}

async function respondCommand(
  caller: RestCaller,
  machine: MachineInfo,
  { command, doing }: { command: Command; doing: string },
): Promise<HttpResponse> {
  if (command.data['code'] === STATUS_COMMAND) return respondStatus(caller, machine.machine)
  const answered = await caller.call({ to: machineAddress(machine.machine), ...command })
  const done = answered.ok ? readCommandDone(answered.value) : answered
  if (!done.ok) return respondFailure(done.failure, doing, true)
  return respondData({ ...toStatusData(done.value.status), state: done.value.state, command_id: done.value.command })
}

type Parsed<Value> = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly response: HttpResponse }

/** Only what says it is JSON: a web page of another origin may not send that unasked. */
async function readJson(request: HttpRequest): Promise<Parsed<Readonly<Record<string, unknown>>>> {
  const body = await request.readBody(BODY_BYTES)
  if (!body.ok) return { ok: false, response: respond(413, { error: 'Payload demasiado grande' }) }
  const refused: Parsed<never> = {
    ok: false,
    response: respondMistake({ status: 400, code: 'BAD_REQUEST', text: 'Solicitud debe ser JSON' }),
  }
  if (!/^application\/([\w.+-]+\+)?json\b/i.test(request.headers.get('content-type') ?? '')) return refused
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body.value))
    return isRecord(value) ? { ok: true, value } : refused
  } catch {
    return refused
  }
}

function badCommand(field: string, max = 255): Parsed<never> {
  const text = `El parámetro '${field}' debe ser un entero entre 0 y ${String(max)}`
  return { ok: false, response: respondMistake({ status: 400, code: 'BAD_COMMAND', text }) }
}

function parseCommand({ command, argument }: Readonly<Record<string, unknown>>): Parsed<Command> {
  if (!isByte(command)) return badCommand('command')
  if (argument === undefined || argument === null) return { ok: true, value: { method: 'command', data: { code: command } } }
  return isByte(argument) ? { ok: true, value: { method: 'command', data: { code: command, argument } } } : badCommand('argument')
}

/** The shipped server allowed 0 to 9 whatever the machine; here it is as many as the machine has. */
function parseMove({ position }: Readonly<Record<string, unknown>>, { positions }: MachineInfo): Parsed<Command> {
  const isThere = typeof position === 'number' && Number.isInteger(position) && position >= 0 && position < positions
  return isThere ? { ok: true, value: { method: 'move', data: { position } } } : badCommand('position', positions - 1)
}

// ---------------------------------------------------------------- the only machine

async function answerOnlyStatus(caller: RestCaller): Promise<HttpResponse> {
  const list = await listMachines(caller)
  if (!list.ok) return respondFailure(list.failure, READING, false)
  const only = findOnly(list.value)
  if (only !== undefined) return respondStatus(caller, only.machine)
  return respondMistake({ status: 500, code: 'PLC_CONN_ERROR', text: `${READING}: modo multi-PLC, use /v1/machines/{id}/status` })
}

async function answerOnlyCommand(request: HttpRequest, caller: RestCaller): Promise<HttpResponse> {
  const body = await readJson(request)
  if (!body.ok) return body.response
  const command = parseCommand(body.value)
  if (!command.ok) return command.response
  const list = await listMachines(caller)
  if (!list.ok) return respondFailure(list.failure, COMMANDING, true)
  const only = findOnly(list.value)
  if (only !== undefined) return respondCommand(caller, only, { command: command.value, doing: COMMANDING })
  return respondMistake({ status: 500, code: 'INTERNAL_ERROR', text: `${COMMANDING}: modo multi-PLC, use /v1/machines/{id}/command` })
}

function findOnly({ machines, mode }: MachineList): MachineInfo | undefined {
  return mode === 'single-plc' ? machines[0] : undefined
}

// ---------------------------------------------------------------- several machines

const SINGLE_TEXT = 'Modo single-PLC: use /v1/status y /v1/command'

async function answerList(caller: RestCaller): Promise<HttpResponse> {
  const list = await listMultiple(caller)
  return list.ok ? respondData(list.value.map(describeMachine)) : list.response
}

/** Clients tell the modes apart by whether this is answered. */
async function listMultiple(caller: RestCaller): Promise<Parsed<readonly MachineInfo[]>> {
  const list = await listMachines(caller)
  if (!list.ok) return { ok: false, response: respondFailure(list.failure, READING, true) }
  if (list.value.mode === 'multi-plc') return { ok: true, value: list.value.machines }
  return { ok: false, response: respondMistake({ status: 500, code: 'INTERNAL_ERROR', text: SINGLE_TEXT }) }
}

/** `/v1/machines/{id}/status`, `/command`, `/move`. */
async function answerMachine(request: HttpRequest, caller: RestCaller): Promise<HttpResponse> {
  const place = parsePlace(request)
  if (!place.ok) return place.response
  const { id, action } = place.value
  const body = action === 'status' ? undefined : await readJson(request)
  if (body?.ok === false) return body.response
  const list = await listMultiple(caller)
  if (!list.ok) return list.response
  const machine = list.value.find((candidate) => candidate.machine === id)
  if (machine === undefined) return unknownMachine(id)
  if (body === undefined) return respondStatus(caller, machine.machine)
  const command = action === 'move' ? parseMove(body.value, machine) : parseCommand(body.value)
  if (!command.ok) return command.response
  return respondCommand(caller, machine, {
    command: command.value,
    doing: action === 'move' ? `Error moviendo ${machine.machine}` : COMMANDING,
  })
}

const ACTIONS = { status: ['GET', 'HEAD'], command: ['POST'], move: ['POST'] } as const satisfies Readonly<
  Record<string, readonly string[]>
>
type Action = keyof typeof ACTIONS
const isAction = (text: string): text is Action => Object.hasOwn(ACTIONS, text)

function parsePlace({ path, method }: HttpRequest): Parsed<{ readonly id: string; readonly action: Action }> {
  const [id = '', action = '', ...more] = path.slice('/v1/machines/'.length).split('/')
  const decoded = decodeStep(id)
  if (!decoded.ok || decoded.value === '' || !isAction(action) || more.length > 0) {
    return { ok: false, response: respondMistake({ status: 404, code: 'BAD_REQUEST', text: 'Ruta no encontrada' }) }
  }
  const methods: readonly string[] = ACTIONS[action]
  if (methods.includes(method)) return { ok: true, value: { id: decoded.value, action } }
  const answer = respondMistake({ status: 405, code: 'BAD_REQUEST', text: 'Método no permitido' })
  return { ok: false, response: { ...answer, headers: { ...answer.headers, allow: methods.join(', ') } } }
}

function decodeStep(step: string): Result<string> {
  try {
    return succeed(decodeURIComponent(step))
  } catch {
    return fail('http.not_found', 'The path holds an escape that is none.')
  }
}
