import { assert, property, array, constantFrom, integer, string } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createEventStreamReader } from './event-stream-reader.ts'

const encoder = new TextEncoder()

function readAll(bytes: Uint8Array, cuts: readonly number[]): readonly string[] {
  const reader = createEventStreamReader(1_000_000)
  const events: string[] = []
  const places = [...cuts, bytes.byteLength].sort((one, other) => one - other)
  let from = 0
  for (const to of places) {
    events.push(...(reader.push(bytes.subarray(from, to)) ?? ['too long']))
    from = to
  }
  return [...events, ...reader.finish()]
}

describe('event stream reader', () => {
  it('[CE1] reads the data of events, whatever ends their lines', () => {
    const stream = ': hello\r\ndata: one\r\n\r\nevent: x\nid: 7\ndata:two\ndata: lines\n\ndata\rdata: 3\r\rdata: [DONE]'
    expect(readAll(encoder.encode(stream), [])).toEqual(['one', 'two\nlines', '\n3', '[DONE]'])
  })
  it('[CE2] gives the same events wherever the bytes are cut', () => {
    const stream = encoder.encode('data: ñandú 🦤 صدا\r\n\r\ndata: x\r\rdata: {"a":"\\u00e9"}\n\n: c\n\ndata: 末\r\n')
    const whole = readAll(stream, [])
    expect(whole).toEqual(['ñandú 🦤 صدا', 'x', '{"a":"\\u00e9"}', '末'])
    for (let at = 0; at <= stream.byteLength; at += 1) expect(readAll(stream, [at])).toEqual(whole)
    const each = Array.from(stream, (_, index) => index)
    expect(readAll(stream, each)).toEqual(whole)
  })
  it('[CE3] any texts, any line endings, any cuts: what was sent is what is read', () => {
    const text = string({ unit: 'grapheme', minLength: 1 }).map((value) => value.replace(/[\r\n]/g, '_'))
    assert(
      property(
        array(text, { maxLength: 8 }),
        constantFrom('\n', '\r\n', '\r'),
        array(integer({ min: 0, max: 400 }), { maxLength: 12 }),
        (texts, end, cuts) => {
          const bytes = encoder.encode(texts.map((value) => `data: ${value}${end}${end}`).join(''))
          expect(
            readAll(
              bytes,
              cuts.map((cut) => Math.min(cut, bytes.byteLength)),
            ),
          ).toEqual(texts)
        },
      ),
      { numRuns: 300 },
    )
  })
  it('[CE4] gives up on a line, or an event, that is longer than may be', () => {
    expect(createEventStreamReader(10).push(encoder.encode('data: 12345678901'))).toBeUndefined()
    const reader = createEventStreamReader(10)
    expect(reader.push(encoder.encode('data: 123456\n'))).toEqual([])
    expect(reader.push(encoder.encode('data: 123456\n'))).toBeUndefined()
  })
})
