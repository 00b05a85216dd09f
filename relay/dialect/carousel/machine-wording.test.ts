import { describe, expect, it } from 'vitest'
import { toRawStatus, toRawStatusBits, wordDocumented, wordShipped } from './machine-wording.ts'
import { createStatus } from './testing/carousel-talk.ts'

/** The values a real machine sent (Delta AS), with what they mean. */
const SEEN = [
  [21, {}],
  [23, { isMoving: true, direction: 'up' }],
  [151, { isMoving: true, direction: 'down' }],
  [17, { mode: 'manual' }],
  [19, { mode: 'manual', isMoving: true, direction: 'up' }],
  [147, { mode: 'manual', isMoving: true, direction: 'down' }],
  [18, { mode: 'manual', isMoving: true, direction: 'up', isReady: false }],
] as const

describe('words of a machine', () => {
  it.each(SEEN)('[CD43] writes the byte a real machine sent, %i, for devices that send none', (raw, changes) => {
    const { raw: _sent, ...without } = createStatus(changes)
    expect(toRawStatus(without)).toBe(raw)
  })
  it('[CD44] passes the byte on as the device sent it', () => {
    expect(toRawStatus(createStatus({ raw: 218 }))).toBe(218)
  })
  it('[CD45] has the polarity of real hardware in every key', () => {
    const troubled = createStatus({
      isReady: false,
      isMoving: true,
      mode: 'manual',
      hasAlarm: true,
      isEmergencyStopped: true,
      hasDriveFault: true,
      hasPositioningError: true,
      direction: 'down',
    })
    expect(wordShipped(troubled)).toEqual({
      READY: 'El equipo no puede operar',
      RUN: 'El equipo está en movimiento',
      MODO_OPERACION: 'Modo Manual',
      ALARMA: 'Alarma activa',
      PARADA_EMERGENCIA: 'Parada de emergencia presionada y activa',
      VFD: 'Error en el variador de velocidad',
      ERROR_POSICIONAMIENTO: 'Ha ocurrido un error en el posicionamiento',
      SENTIDO_GIRO: 'Descendente',
    })
    expect(wordDocumented(troubled)).toMatchObject({ READY: 'Fallo', RUN: 'En movimiento', MODO_OPERACION: 'Manual', ALARMA: 'Activa' })
  })
  it('[CD46] writes the bits of the byte from bit 0 on', () => {
    expect(toRawStatusBits(21)).toBe('10101000')
    expect(toRawStatusBits(0)).toBe('00000000')
    expect(toRawStatusBits(255)).toBe('11111111')
  })
})
