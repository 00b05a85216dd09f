import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseSocketControl, readProcessMessage } from './socket-control.ts'

describe('what a header or a control asks for', () => {
  it('[WP60] all fields, as an object or as its JSON', () => {
    const fields = { target_pid: '{peer|a}', message_topic: 't', heartbeat_interval: '10s', message_format: 'raw', metadata: { a: 1 } }
    const control = { targetPid: '{peer|a}', messageTopic: 't', heartbeatMs: 10_000, messageFormat: 'raw', metadata: { a: 1 } }
    expect(parseSocketControl(fields)).toEqual({ ok: true, value: control })
    expect(parseSocketControl(JSON.stringify(fields))).toEqual({ ok: true, value: control })
  })
  it('[WP61] what is missing, empty or null stays as it is, and what is unknown is ignored', () => {
    for (const fields of [
      {},
      { target_pid: '', message_topic: null, heartbeat_interval: '', metadata: null, message_format: null, more: 1 },
    ]) {
      expect(parseSocketControl(fields)).toEqual({ ok: true, value: {} })
    }
  })
  it.each([
    ['soon', undefined],
    ['-1s', undefined],
    ['0s', undefined],
    ['1ns', 100],
    ['10000h', 86_400_000],
  ])('[WP62] a heartbeat interval of %s is %s ms', (interval, heartbeatMs) => {
    expect(parseSocketControl({ heartbeat_interval: interval })).toEqual({
      ok: true,
      value: heartbeatMs === undefined ? {} : { heartbeatMs },
    })
  })
  it.each([
    [{ target_pid: 7 }, '/target_pid'],
    [{ message_topic: 7 }, '/message_topic'],
    [{ message_topic: 'x'.repeat(129) }, '/message_topic'],
    [{ message_topic: '@events' }, '/message_topic'],
    [{ heartbeat_interval: 30 }, '/heartbeat_interval'],
    [{ message_format: 'xml' }, '/message_format'],
    [{ metadata: 'x' }, '/metadata'],
    [{ metadata: [1] }, '/metadata'],
  ])('[WP63] %j is refused at %s', (fields, field) => {
    expect(parseSocketControl(fields)).toMatchObject({ ok: false, failure: { code: 'frame.invalid_fields', field } })
  })
  it('[WP64] anything at all is answered without a throw', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        parseSocketControl(value)
        readProcessMessage(value)
      }),
    )
    for (const value of ['[]', 'null', '7', '{', [], null, undefined]) expect(parseSocketControl(value).ok).toBe(false)
  })
})
