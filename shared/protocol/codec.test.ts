import fc from 'fast-check'
import { Check } from 'typebox/value'
import { describe, expect, it } from 'vitest'
import { CLIENT_MESSAGE_GUARDS, RELAY_MESSAGE_GUARDS, TOPIC_GUARDS } from '#shared/generated/guards'
import { plainJson, toArbitrary } from '#shared/testing/schema-arbitrary'
import { encodeMessage, parseRelayMessage } from './codec.ts'
import { parseClientMessage } from './codec-relay.ts'
import { ERRORS, type Result } from './errors.ts'
import { MESSAGES, type ClientMessage, type RelayMessage } from './messages.ts'
import { checkPayload } from './topic-catalog-relay.ts'
import { topicRule } from './topic-catalog.ts'
import { TOPICS, type TopicRule } from './topics.ts'

const PARSERS = { 'to-relay': parseClientMessage, 'to-client': parseRelayMessage } as const
const GUARDS: Readonly<Record<string, (value: unknown) => boolean>> = { ...CLIENT_MESSAGE_GUARDS, ...RELAY_MESSAGE_GUARDS }

/** Text that looks like a message, nearly. */
const almostMessages = fc
  .record(
    {
      type: fc.oneof(fc.constantFrom(...Object.keys(MESSAGES)), fc.string()),
      id: plainJson,
      topic: plainJson,
      data: plainJson,
      version: plainJson,
    },
    { requiredKeys: [] },
  )
  .map((value) => JSON.stringify(value))
const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.json(), almostMessages)

function expectAnAnswer(result: Result<unknown>): void {
  if (result.ok) return
  expect(ERRORS).toHaveProperty([result.failure.code])
  expect(result.failure.message.length).toBeLessThan(600)
  expect(result.failure.field ?? '').toMatch(/^(\/|$)/)
}

describe('the codec', () => {
  it('[CD1] answers any string, in both directions, with a message or a failure of the table', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expectAnAnswer(parseClientMessage(text))
        expectAnAnswer(parseRelayMessage(text))
      }),
      { numRuns: 2000 },
    )
  })

  it.each(Object.entries(MESSAGES))('[CD2] %s survives encoding and parsing', (_, { schema, direction }) => {
    fc.assert(
      fc.property(toArbitrary(schema), (value) => {
        const parsed: Result<ClientMessage | RelayMessage> = PARSERS[direction](JSON.stringify(value))
        expect(parsed).toEqual({ ok: true, value })
        if (parsed.ok) expect(PARSERS[direction](encodeMessage(parsed.value))).toEqual(parsed)
      }),
    )
  })

  it.each(Object.entries(MESSAGES))('[CD3] the generated guard of %s agrees with its schema on near misses', (type, { schema }) => {
    const nearMiss = fc
      .tuple(
        toArbitrary(schema),
        fc.constantFrom(...Object.keys(schema.properties), 'surprise'),
        fc.oneof(plainJson, fc.constant(undefined)),
      )
      .map(([value, name, other]) => ({ ...(typeof value === 'object' ? value : {}), [name]: other }))
    fc.assert(
      fc.property(nearMiss, (value) => {
        expect(GUARDS[type]?.(value)).toBe(Check(schema, value))
      }),
    )
  })

  it('[CD4] an answer to hostile input is short: no payload, no token comes back', () => {
    const secret = 'a'.repeat(5000)
    for (const text of [
      `{"type":"${secret}"}`,
      `{"type":"hello","version":1,"token":"${secret}"}`,
      `{"type":"ping","${secret}":1}`,
      `{"type":"hello","version":1,"${secret}":1}`,
    ]) {
      const parsed = parseClientMessage(text)
      expect(parsed.ok).toBe(false)
      expect(JSON.stringify(parsed).length).toBeLessThan(400)
    }
  })

  it('[CD5] nesting that would overflow an encoder is refused, not thrown', () => {
    const text = `{"type":"publish","topic":"app/x","data":${'['.repeat(32_000)}${']'.repeat(32_000)}}`
    expect(parseClientMessage(text)).toMatchObject({ ok: false, failure: { code: 'frame.invalid_fields' } })
  })

  it('[CD6] reading a frame with a prototype in it changes no prototype', () => {
    parseClientMessage('{"type":"publish","topic":"app/x","data":{"__proto__":{"isAdmin":true}}}')
    expect(Reflect.get({}, 'isAdmin')).toBeUndefined()
  })
})

describe('payloads', () => {
  it.each(Object.entries(TOPICS))(
    '[CD7] the guard of %s accepts what its schema describes and agrees with it on anything else',
    (name, { schema }) => {
      const guard: ((value: unknown) => boolean) | undefined = Object.entries(TOPIC_GUARDS).find(([key]) => key === name)?.[1]
      fc.assert(
        fc.property(toArbitrary(schema), (value) => {
          expect(guard?.(value)).toBe(true)
        }),
      )
      fc.assert(
        fc.property(plainJson, (value) => {
          expect(guard?.(value)).toBe(Check(schema, value))
        }),
      )
    },
  )

  it('[CD8] says where a payload is wrong', () => {
    fc.assert(
      fc.property(plainJson, (data) => {
        const checked = checkPayload('emotion', data)
        expect(checked).toMatchObject({ ok: false, failure: { code: 'topic.invalid_payload', field: expect.stringMatching(/^\/data/) } })
      }),
    )
  })

  it('[CD9] the table without schemas says the same as the catalog', () => {
    for (const name of ['emotion', 'totals', 'machineStatus', 'app', 'order', 'presence', 'stats'] as const) {
      const entry: TopicRule = TOPICS[name]
      const { filter, delivery, publishers, history, maxLatencyMs, needs } = entry
      const rule = { filter, delivery, publishers, history, maxLatencyMs }
      expect(topicRule(name)).toEqual(needs === undefined ? rule : { ...rule, needs })
    }
  })
})
