import { INTERLOCKS } from '#shared/model/machine-interlocks'
import type { MachineStatus } from '#shared/protocol/machine'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findObstacle, isResetUseful, mayCommandAs, stepsBetween, toCondition, toTone } from './machine-condition.ts'

const STATUS: MachineStatus = {
  ...{ machine: 'a', name: 'A', time: 0, quality: 'good', position: 3, positions: 10, isMoving: false, direction: 'none' },
  ...{ mode: 'remote', isReady: true, hasAlarm: false, isEmergencyStopped: false, hasDriveFault: false, hasPositioningError: false },
  connection: 'connected',
}
const BROKEN: MachineStatus = {
  ...STATUS,
  ...{ quality: 'bad', isMoving: true, mode: 'manual', hasAlarm: true, isEmergencyStopped: true, hasDriveFault: true },
  ...{ command: { command: 'c', name: 'move', by: 'x', since: 0 }, lease: { by: 'x', until: 1 } },
}
const scene = (status: MachineStatus | undefined) => ({ isOnline: true, mayCommand: true, status, isLeaseMine: false })

describe('machine condition', () => {
  it('[MP6] says the most serious thing first, and never that an unread machine is ready', () => {
    expect(toCondition(undefined)).toBe('unheard')
    expect(toCondition({ ...BROKEN, quality: 'stale' })).toBe('unreachable')
    expect(toCondition({ ...BROKEN, quality: 'good' })).toBe('emergencyStop')
    expect(toCondition({ ...STATUS, hasAlarm: true, isMoving: true })).toBe('alarm')
    expect(toCondition({ ...STATUS, isMoving: true, direction: 'up' })).toBe('up')
    expect(toCondition({ ...STATUS, isMoving: true })).toBe('moving')
    expect(toCondition({ ...STATUS, mode: 'manual' })).toBe('manual')
    expect([toCondition(STATUS), toTone('still'), toTone('emergencyStop')]).toEqual(['still', 'calm', 'bad'])
  })

  it('[MP7] keeps nobody from stopping but a missing link or right', () => {
    expect(findObstacle(scene(BROKEN), 'stop')).toBeUndefined()
    expect(findObstacle(scene(undefined), 'stop')).toBeUndefined()
    expect(findObstacle({ ...scene(STATUS), isOnline: false }, 'stop')).toBe('offline')
    expect(findObstacle({ ...scene(STATUS), mayCommand: false }, 'stop')).toBe('rights')
  })

  it('[MP8] finds what is in the way of a move in the order the relay does', () => {
    expect(findObstacle({ ...scene(BROKEN), isOnline: false, mayCommand: false }, 'move')).toBe('offline')
    expect(findObstacle(scene(undefined), 'move')).toBe('unheard')
    expect(findObstacle(scene(BROKEN), 'move')).toBe('reserved')
    expect(findObstacle({ ...scene(BROKEN), isLeaseMine: true }, 'move')).toBe('busy')
    const { command: _command, lease: _lease, ...free } = BROKEN
    expect(findObstacle(scene(free), 'move')).toBe(INTERLOCKS[0])
    expect(findObstacle(scene({ ...STATUS, mode: 'manual' }), 'move')).toBe('manualMode')
    expect(findObstacle(scene(STATUS), 'move')).toBeUndefined()
  })

  it('[MP9] lets an alarm be reset, and a machine in alarm be reserved', () => {
    const alarmed = { ...STATUS, hasAlarm: true }
    expect(findObstacle(scene(alarmed), 'move')).toBe('alarm')
    expect(findObstacle(scene(alarmed), 'reset')).toBeUndefined()
    expect(findObstacle(scene(alarmed), 'lease')).toBeUndefined()
    expect([isResetUseful(alarmed), isResetUseful(STATUS), isResetUseful(undefined)]).toEqual([true, false, false])
  })

  it('[MP10] knows who may command by the roles the relay gave', () => {
    expect([['viewer', 'station'], ['operator'], ['admin'], []].map(mayCommandAs)).toEqual([false, true, true, false])
  })

  it('[MP11] goes the shorter way round', () => {
    expect([stepsBetween(0, 9, 10), stepsBetween(9, 0, 10), stepsBetween(0, 5, 10), stepsBetween(2, 2, 10)]).toEqual([-1, 1, 5, 0])
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 }), fc.nat(63), fc.nat(63), (count, from, to) => {
        const steps = stepsBetween(from % count, to % count, count)
        return Math.abs(steps) <= count / 2 && ((from % count) + steps + count) % count === to % count
      }),
    )
  })
})
