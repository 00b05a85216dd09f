import { assert, pre, property, string } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { agentEventTopic, toAgentId, toAgentLevel } from './agent-topic.ts'
import { findTopic } from './topic-catalog.ts'
import { parseTopic } from './topic-filter.ts'

describe('agent ids as levels of topics', () => {
  it.each([
    ['agent_1', 'agent_1'],
    ['4f1c0b0e-8f3a-4a53-9d9e-0f0a5b1c2d3e', '4f1c0b0e-8f3a-4a53-9d9e-0f0a5b1c2d3e'],
    ['agente-ñandú', 'agente-ñandú'],
    ['agent 1', 'agent.201'],
    ['a.b/c#+$', 'a.2Eb.2Fc.23.2B.24'],
    ['🦤', '.F0.9F.A6.A4'],
    ['..', '.2E.2E'],
  ])('[AT1] %s becomes %s and back', (id, level) => {
    expect(toAgentLevel(id)).toEqual({ ok: true, value: level })
    expect(toAgentId(level)).toBe(id)
  })
  it('[AT2] whatever the id: refused, or a topic of the catalog that leads back to it', () => {
    assert(
      property(string({ unit: 'binary', maxLength: 70 }), (id) => {
        const level = toAgentLevel(id)
        pre(level.ok)
        expect(toAgentId(level.value)).toBe(id)
        expect(parseTopic(agentEventTopic(level.value)).ok).toBe(true)
        expect(findTopic(agentEventTopic(level.value))).toBe('agentEvent')
      }),
      { numRuns: 500 },
    )
  })
  it.each([[''], ['x'.repeat(65)], [' '.repeat(22)], ['\ud800'], ['a\udc00b']])('[AT3] refuses case %#', (id) => {
    expect(toAgentLevel(id)).toMatchObject({ ok: false, failure: { code: 'agent.invalid' } })
  })
  it.each([['a b'], ['.2e'], ['.41'], ['.FF'], ['.2'], ['']])('[AT4] %s is the level of no id', (level) => {
    expect(toAgentId(level)).toBeUndefined()
  })
})
