/** What somebody asks of a machine, checked against what it knows and how many buckets it has. Pure. */
import { fail, succeed, type Result } from '#shared/protocol/errors'
import type { MachineCommandEvent } from '#shared/protocol/machine'
import { memberOf } from '#shared/protocol/record'
import type { PlcCommand } from '../../ports.ts'
import type { MachineSetup } from './machine-setup.ts'

export interface ParsedCommand {
  readonly name: MachineCommandEvent['name']
  /** Of the carousel's own protocol. */
  readonly code: number
  readonly argument: number | undefined
  /** Undefined: it only asks how things are. */
  readonly command: PlcCommand | undefined
}

export const COMMAND_METHODS = ['move', 'stop', 'reset', 'calibrate', 'command'] as const
export type CommandMethod = (typeof COMMAND_METHODS)[number]

type Machine = Pick<MachineSetup, 'info' | 'rawCodes'>

const CODES = { read: 0, move: 1, stop: 2, reset: 3, calibrate: 4 } as const
const MAX_BYTE = 255

/** @param data unchecked. Fails with `machine.invalid_command`; `field` names the place. */
export function parseCommand(method: CommandMethod, data: unknown, machine: Machine): Result<ParsedCommand> {
  if (method === 'command') return parseCode(data, machine)
  if (method === 'move') return parseMove(memberOf(data, 'position'), '/data/position', machine)
  return succeed(plain(method))
}

function plain(kind: 'stop' | 'reset' | 'calibrate'): ParsedCommand {
  return { name: kind, code: CODES[kind], argument: undefined, command: { kind } }
}

function parseMove(position: unknown, field: string, { info }: Machine): Result<ParsedCommand> {
  if (isWholeUpTo(position, info.positions - 1)) {
    return succeed({ name: 'move', code: CODES.move, argument: position, command: { kind: 'move', position } })
  }
  const text = `${info.name} has ${String(info.positions)} buckets: expected a whole number from 0 to ${String(info.positions - 1)}, ${describe(position)} came.`
  return fail('machine.invalid_command', text, field)
}

function parseCode(data: unknown, machine: Machine): Result<ParsedCommand> {
  const [code, argument] = [memberOf(data, 'code'), memberOf(data, 'argument')]
  if (!isWholeUpTo(code, MAX_BYTE)) {
    return fail('machine.invalid_command', `Expected a code from 0 to 255, ${describe(code)} came.`, '/data/code')
  }
  switch (code) {
    case CODES.read:
      return succeed({ name: 'raw', code, argument: undefined, command: undefined })
    case CODES.move:
      return parseMove(argument, '/data/argument', machine)
    case CODES.stop:
      return succeed(plain('stop'))
    case CODES.reset:
      return succeed(plain('reset'))
    case CODES.calibrate:
      return succeed(plain('calibrate'))
    default:
      return parseRaw(code, argument, machine)
  }
}

function parseRaw(code: number, argument: unknown, { info, rawCodes }: Machine): Result<ParsedCommand> {
  if (!rawCodes.includes(code)) {
    const known = ['0 read', '1 move', '2 stop', '3 reset', '4 calibrate', ...rawCodes.map(String)].join(', ')
    return fail('machine.invalid_command', `${info.name} knows the codes ${known}; ${String(code)} is none of them.`, '/data/code')
  }
  if (argument !== undefined && argument !== null && !isWholeUpTo(argument, MAX_BYTE)) {
    return fail('machine.invalid_command', `Expected an argument from 0 to 255 or none, ${describe(argument)} came.`, '/data/argument')
  }
  const given = typeof argument === 'number' ? argument : undefined
  return succeed({ name: 'raw', code, argument: given, command: { kind: 'raw', code, argument: given } })
}

function isWholeUpTo(value: unknown, max: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max
}

/** Never the value of a text or object: it is a stranger's. */
function describe(value: unknown): string {
  if (typeof value === 'number') return String(value)
  return value === undefined ? 'none' : value === null ? 'null' : `a value of type ${typeof value}`
}
