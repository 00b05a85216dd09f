import { expect, it } from 'vitest'
import type { TopicMessage } from '#shared/client/subscription-table'
import { createReading } from '../testing/real-relay.ts'
import { paintForTerminal, paintNothing, toTailLines } from './tail-lines.ts'

const about = (topic: string, data: unknown): TopicMessage => ({ type: 'message', topic, epoch: 'e', seq: 1, time: 5, data })
const [happy] = createReading().faces

it('[TP1] gives each face its line: number, emotion, bar and percent', () => {
  const faces = happy === undefined ? [] : [happy, { ...happy, id: 2, emotion: 'fear' as const, confidence: 0.5 }]
  const lines = toTailLines(about('emotion/desk-1', createReading({ faces })), paintNothing)
  expect(lines).toHaveLength(2)
  expect(lines[0]).toMatch(/ {2}desk-1 {2}#1 {2}happiness ███████████████████░ {2}93 %$/)
  expect(lines[1]).toMatch(/^ +#2 {2}fear {6}██████████░░░░░░░░░░ {2}50 %$/)
})

it('[TP2] marks what the network is unsure of', () => {
  const faces = happy === undefined ? [] : [{ ...happy, confidence: 0.31, isCertain: false }]
  expect(toTailLines(about('emotion/desk-1', createReading({ faces })), paintNothing)[0]).toMatch(/#1 \?happiness .* 31 % {2}unsure$/)
})

it('[TP3] says that nobody is in view', () => {
  expect(toTailLines(about('emotion/desk-1', createReading({ faces: [] })), paintNothing)[0]).toMatch(/desk-1 {2}no face$/)
})

it('[TP4] tells a machine by place, motion and alarms', () => {
  const status = {
    machine: 'machine_1',
    name: 'Carrusel Principal',
    time: 1,
    quality: 'stale',
    position: 3,
    positions: 10,
    isMoving: true,
    direction: 'up',
    mode: 'remote',
    isReady: true,
    hasAlarm: true,
    isEmergencyStopped: false,
    hasDriveFault: false,
    hasPositioningError: false,
    connection: 'disconnected',
    reason: 'The cable is out.',
  }
  expect(toTailLines(about('machine/machine_1/status', status), paintNothing)[0]).toMatch(
    /machine_1 {2}bucket 3 of 10, moving up, remote, stale {2}ALARM$/,
  )
})

it('[TP5] shows other topics as JSON and never lets control characters reach the terminal', () => {
  const [line] = toTailLines(about('app/x', { text: '\u001b[2J\u009b2J' }), paintNothing)
  expect(line).toContain('app/x')
  expect(line).not.toMatch(/\p{Cc}/u)
})

it('[TP6] colours only where told to', () => {
  const [line] = toTailLines(about('emotion/desk-1', createReading()), paintForTerminal)
  expect(line).toContain('\u001b[32m')
})
