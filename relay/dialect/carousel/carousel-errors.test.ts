import { describe, expect, it } from 'vitest'
import { ERRORS, type ErrorCode } from '#shared/protocol/errors'
import { MACHINE_WORDINGS, toCarouselCode, toRestError, wordFailure } from './carousel-errors.ts'

const CODES = Object.keys(ERRORS).filter((code): code is ErrorCode => Object.hasOwn(ERRORS, code))

describe('our errors in their words', () => {
  it('[CD47] has a wording for every code of a machine, and for none that is no longer there', () => {
    expect(Object.keys(MACHINE_WORDINGS).sort()).toEqual(CODES.filter((code) => code.startsWith('machine.')).sort())
  })
  it.each([
    ['machine.unknown', 'MACHINE_NOT_FOUND', 404, 'BAD_REQUEST'],
    ['machine.invalid_command', 'INVALID_COMMAND', 400, 'BAD_COMMAND'],
    ['machine.busy', 'BUSY', 409, 'PLC_BUSY'],
    ['machine.reserved', 'BUSY', 409, 'PLC_BUSY'],
    ['machine.moving', 'BUSY', 409, 'PLC_BUSY'],
    ['machine.manual_mode', 'BUSY', 409, 'PLC_BUSY'],
    ['machine.alarm', 'BUSY', 409, 'PLC_BUSY'],
    ['machine.emergency_stop', 'BUSY', 409, 'PLC_BUSY'],
    ['machine.unreachable', 'CONNECTION_ERROR', 500, 'PLC_CONN_ERROR'],
    ['machine.not_confirmed', 'CONNECTION_ERROR', 500, 'PLC_CONN_ERROR'],
    ['machine.audit_failed', 'INTERNAL_ERROR', 500, 'INTERNAL_ERROR'],
    ['auth.forbidden', 'FORBIDDEN', 403, 'FORBIDDEN'],
    ['auth.token_expired', 'UNAUTHORIZED', 401, 'UNAUTHORIZED'],
    ['rate.limited', 'BUSY', 409, 'PLC_BUSY'],
    ['topic.malformed', 'INTERNAL_ERROR', 500, 'INTERNAL_ERROR'],
  ] as const)('[CD48] %s is %s, and over HTTP %i %s', (code, theirs, status, restCode) => {
    const { kind } = wordFailure({ code, message: '' })
    expect(toCarouselCode(kind)).toBe(theirs)
    expect(toRestError(kind)).toEqual({ status, code: restCode })
  })
  it('[CD49] has a text for every code there is', () => {
    for (const code of CODES) expect(wordFailure({ code, message: '' }).text, code).not.toBe('')
  })
})
