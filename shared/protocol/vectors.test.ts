/** The golden vectors: what every implementation of the protocol must accept and refuse, and that the catalog is covered by them. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseRelayMessage } from './codec.ts'
import { parseClientMessage } from './codec-relay.ts'
import { ERRORS } from './errors.ts'
import { MESSAGES } from './messages.ts'
import { checkPayload } from './topic-catalog-relay.ts'
import { findTopic } from './topic-catalog.ts'
import { matchesTopic, parseTopic, parseTopicFilter } from './topic-filter.ts'
import { TOPICS } from './topics.ts'

interface Vector {
  readonly name: string
  readonly frame?: unknown
  readonly text?: string
  readonly data?: unknown
  readonly code?: string
  readonly field?: string
}
interface VectorFile {
  readonly message?: string
  readonly direction?: string
  readonly topicName?: string
  readonly topic?: string
  readonly valid: readonly Vector[]
  readonly invalid: readonly Vector[]
}
interface TopicVectors {
  readonly topics: { readonly valid: readonly string[]; readonly invalid: readonly string[] }
  readonly filters: { readonly valid: readonly string[]; readonly invalid: readonly string[] }
  readonly matches: readonly { readonly filter: string; readonly topic: string; readonly matches: boolean }[]
}

const FOLDER = new URL('vectors/', import.meta.url)
const read = (file: string) => JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8'))
const names = readdirSync(FOLDER)
const messageFiles: VectorFile[] = names.filter((name) => name.startsWith('message-')).map(read)
const payloadFiles: VectorFile[] = names.filter((name) => name.startsWith('topic-')).map(read)
const frames: VectorFile = read('frames.json')
const topicVectors: TopicVectors = read('topics.json')

const toText = (vector: Vector): string => vector.text ?? JSON.stringify(vector.frame)
const parserOf = (direction: string | undefined) => (direction === 'to-client' ? parseRelayMessage : parseClientMessage)

describe.each(messageFiles)('message $message', ({ message, direction, valid, invalid }) => {
  const parse = parserOf(direction)

  it.each(valid)('[GV1] accepts: $name', (vector) => {
    expect(parse(toText(vector))).toEqual({ ok: true, value: vector.frame })
  })
  it.each(invalid)('[GV2] refuses: $name', (vector) => {
    const parsed = parse(toText(vector))
    expect(parsed).toMatchObject({ ok: false, failure: { code: vector.code } })
    // The client's side ships no interpreter and names no field.
    if (direction === 'to-relay') expect(parsed).toMatchObject({ failure: { field: vector.field } })
  })
  it('[GV3] is refused in the other direction', () => {
    const parse = parserOf(direction === 'to-client' ? 'to-relay' : 'to-client')
    const [first] = valid
    expect(first && parse(toText(first))).toMatchObject({ ok: false, failure: { code: 'frame.unknown_type', field: '/type' } })
  })
  it('[GV4] its vectors are of its type and have both kinds', () => {
    expect(valid.map(({ frame }) => frame)).toEqual(valid.map(() => expect.objectContaining({ type: message })))
    expect(Math.min(valid.length, invalid.length)).toBeGreaterThan(0)
  })
})

describe('frames', () => {
  it.each(frames.valid)('[GV5] accepts: $name', (vector) => {
    expect(parseClientMessage(toText(vector))).toMatchObject({ ok: true })
  })
  it.each(frames.invalid.filter(({ text }) => text !== undefined))('[GV6] refuses: $name', ({ text, code, field }) => {
    const parsed = parseClientMessage(text ?? '')
    expect(parsed).toMatchObject({ ok: false, failure: field === undefined ? { code } : { code, field } })
  })
})

describe.each(payloadFiles)('payload of $topicName', ({ topicName, topic, valid, invalid }) => {
  const name = findTopic(topic ?? '')

  it('[GV7] its topic is covered by its entry', () => {
    expect(name).toBe(topicName)
  })
  it.each(valid)('[GV8] accepts: $name', ({ data }) => {
    expect(name && checkPayload(name, data)).toEqual({ ok: true, value: data })
  })
  it.each(invalid)('[GV9] refuses: $name', ({ data, code, field }) => {
    expect(name && checkPayload(name, data)).toMatchObject({ ok: false, failure: { code, field } })
  })
})

describe('topics and filters', () => {
  it.each(topicVectors.topics.valid)('[GV10] %j is a topic', (topic) => {
    expect(parseTopic(topic)).toMatchObject({ ok: true })
  })
  it.each(topicVectors.topics.invalid)('[GV11] %j is no topic', (topic) => {
    expect(parseTopic(topic)).toMatchObject({ ok: false, failure: { code: 'topic.malformed' } })
  })
  it.each(topicVectors.filters.valid)('[GV12] %j is a filter', (filter) => {
    expect(parseTopicFilter(filter)).toMatchObject({ ok: true })
  })
  it.each(topicVectors.filters.invalid)('[GV13] %j is no filter', (filter) => {
    expect(parseTopicFilter(filter)).toMatchObject({ ok: false, failure: { code: 'topic.malformed' } })
  })
  it.each(topicVectors.matches)('[GV14] $filter and $topic: $matches', ({ filter, topic, matches }) => {
    expect(matchesTopic(filter.split('/'), topic.split('/'))).toBe(matches)
  })
})

describe('completeness', () => {
  it('[GV15] every message of the catalog has its file, with its direction', () => {
    const covered = Object.fromEntries(messageFiles.map(({ message, direction }) => [message, direction]))
    expect(covered).toEqual(Object.fromEntries(Object.entries(MESSAGES).map(([type, { direction }]) => [type, direction])))
  })
  it('[GV16] every topic of the catalog has its file', () => {
    expect(payloadFiles.map(({ topicName }) => topicName).sort()).toEqual(Object.keys(TOPICS).sort())
  })
  it('[GV17] every frame error of the table has a vector, and no vector an error of no table', () => {
    const invalid = [frames, ...messageFiles, ...payloadFiles].flatMap((file) => file.invalid)
    const codes = new Set(invalid.map(({ code }) => code ?? ''))
    const frameCodes = Object.keys(ERRORS).filter((code) => code.startsWith('frame.'))
    expect(frameCodes.filter((code) => !codes.has(code))).toEqual([])
    expect([...codes].filter((code) => !Object.hasOwn(ERRORS, code))).toEqual([])
  })
})
