import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeBinaryFrame } from '#shared/protocol/binary-frame'
import { ERRORS, type Failure } from '#shared/protocol/errors'
import type { Frame, Publication } from '../../ports.ts'
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
const textOf = (frame: Frame | undefined): string =>
  new TextDecoder('utf-8', { fatal: true }).decode(frame instanceof Uint8Array ? frame : undefined)

/** What one frame was taken for. */
function readOf(frame: string | Uint8Array): { said: unknown[]; blamed: [Failure, string | undefined][] } {
  const said: unknown[] = []
  const blamed: [Failure, string | undefined][] = []
  createNativeDialect().read(frame, {
    ...{ address: 'peer/1', identity: NOBODY, remoteAddress: '127.0.0.1' },
    say: (message, attachment) => void said.push(attachment === undefined ? message : { ...message, attachment }),
    send: () => undefined,
    blame: (failure, id) => void blamed.push([failure, id]),
    countMistake: () => undefined,
    end: () => undefined,
  })
  return { said, blamed }
}

const NOBODY = { subject: '', roles: [], rights: { subscribe: [], publish: [], request: [] }, station: undefined, expiresAt: 0 } as const

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
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc.json().map((json) => `{"type":"publish","id":"i","topic":"app/x","data":${json}}`),
    )
    fc.assert(
      fc.property(text, (frame) => {
        const { said, blamed } = readOf(frame)
        expect(said.length + blamed.length).toBe(1)
        for (const [failure] of blamed) expect(ERRORS).toHaveProperty([failure.code])
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
    expect(readOf(text).blamed.map(([, found]) => found)).toEqual([id])
  })
  it('[ND5] takes a request with bytes beside it from a binary frame, and nothing else', () => {
    const request = { type: 'request', id: '1', to: 'vision', method: 'predict', data: { faces: 'all' } }
    const picture = Uint8Array.of(0xff, 0xd8, 0, 1)
    expect(readOf(encodeBinaryFrame(JSON.stringify(request), picture)).said).toEqual([{ ...request, attachment: picture }])
    const publish = JSON.stringify({ type: 'publish', id: '2', topic: 'app/x', data: 1 })
    expect(readOf(encodeBinaryFrame(publish, picture)).blamed).toMatchObject([[{ code: 'frame.binary_unsupported' }, '2']])
    expect(readOf(encodeBinaryFrame('{"type":"shout","id":"3"}', picture)).blamed).toMatchObject([[{ code: 'frame.unknown_type' }, '3']])
  })
  it('[ND6] has an answer for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(readOf(bytes)).toMatchObject({ said: [], blamed: [[{ code: expect.stringMatching(/^(attachment|frame)\./) }, undefined]] })
      }),
    )
  })
})
