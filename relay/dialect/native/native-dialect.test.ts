import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ERRORS } from '#shared/protocol/errors'
import type { Publication } from '../../ports.ts'
import { createNativeDialect } from './native-dialect.ts'

const publication: Publication = {
  kind: 'publication',
  topic: 'app/x',
  delivery: 'queued',
  epoch: 'e',
  seq: 1,
  time: 2,
  json: '{"text":"señal"}',
}
const textOf = (frame: Uint8Array): string => new TextDecoder('utf-8', { fatal: true }).decode(frame)

describe('native dialect', () => {
  it('[ND1] encodes a publication once for all who receive it', () => {
    const dialect = createNativeDialect()
    const first = dialect.encodePublication(publication, false)
    expect(dialect.encodePublication(publication, false)).toBe(first)
    expect(JSON.parse(textOf(first))).toEqual({ type: 'message', topic: 'app/x', epoch: 'e', seq: 1, time: 2, data: { text: 'señal' } })
    expect(JSON.parse(textOf(dialect.encodePublication(publication, true)))).toMatchObject({ isRetained: true })
    expect(dialect.encodePublication(publication, false)).toBe(first)
    expect(dialect.encodePublication({ ...publication, seq: 2 }, false)).not.toBe(first)
  })
  it('[ND2] writes well-formed UTF-8 whatever a text holds', () => {
    const dialect = createNativeDialect()
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const frame = dialect.encodePublication({ ...publication, json: JSON.stringify(text) }, true)
        expect(JSON.parse(textOf(frame)).data.toWellFormed()).toBe(text.toWellFormed())
      }),
    )
    expect(() => textOf(dialect.encodePublication({ ...publication, json: JSON.stringify('\ud800') }, true))).not.toThrow()
  })
  it('[ND3] has an answer for any text: a message, or a code of the table', () => {
    const dialect = createNativeDialect()
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc.json().map((json) => `{"type":"publish","id":"i","topic":"app/x","data":${json}}`),
    )
    fc.assert(
      fc.property(text, (frame) => {
        const decoded = dialect.decode(frame)
        if (!decoded.ok) expect(ERRORS).toHaveProperty([decoded.failure.code])
      }),
    )
  })
  it.each([
    ['{"type":"subscribe","id":"mine"}', 'mine'],
    ['{"type":"shout","id":"mine"}', 'mine'],
    ['{"type":"ping","id":7}', undefined],
    ['{"type":"shout","id":""}', undefined],
    [`{"type":"shout","id":"${'x'.repeat(65)}"}`, undefined],
    ['{"type":"ping","id":"mine"', undefined],
    ['null', undefined],
  ])('[ND4] finds the id of %s', (text, id) => {
    const decoded = createNativeDialect().decode(text)
    expect(decoded.ok ? 'ok' : decoded.id).toBe(id)
  })
})
