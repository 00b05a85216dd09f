/** What reaches the listeners, whatever happens to the line and to the relay. The relay is a model that does what the protocol allows it to. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ClientMessageOf, RelayMessageOf } from '#shared/protocol/messages'
import { matchesTopic } from '#shared/protocol/topic-filter'
import type { ClientProblem } from './client-problem.ts'
import { createSubscriptionTable, type SubscriptionTable, type TopicMessage } from './subscription-table.ts'
import type { Loss } from './topic-positions.ts'

/** The last one is not there yet when the client subscribes. */
const TOPICS = ['app/a', 'app/b', 'order/x', 'app/late'] as const
const LATE = TOPICS.length - 1
/** Two overlap: the relay replays for each. */
const FILTERS = ['app/#', 'app/a', 'order/+'] as const
const FRAME_BYTES = 65_536

type Step =
  | { readonly kind: 'publish'; readonly topic: number; readonly times: number }
  /** The line breaks: what was sent and not read is gone. */
  | { readonly kind: 'break' }
  /** The client is back, and reads so many frames of what comes first before the line breaks again. */
  | { readonly kind: 'return'; readonly reads: number }
  /** One frame gets lost without a word: a defect of the relay that the client must notice, save in a topic it never heard of. */
  | { readonly kind: 'swallow'; readonly topic: number }
  /** The reader was slow, the history moved on: a gap on the open line. */
  | { readonly kind: 'fallBehind'; readonly topic: number; readonly times: number }
  /** The relay starts anew: with its numbering under a new epoch, or from 1. */
  | { readonly kind: 'restart'; readonly isContinued: boolean }
  | { readonly kind: 'forgetTopic'; readonly topic: number }

const anyTopic = fc.nat(TOPICS.length - 1)
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('publish'), topic: anyTopic, times: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('break') }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('return'), reads: fc.oneof(fc.nat(6), fc.constant(Infinity)) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('swallow'), topic: fc.nat(LATE - 1) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fallBehind'), topic: anyTopic, times: fc.integer({ min: 1, max: 9 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart'), isContinued: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('forgetTopic'), topic: anyTopic }) },
)

type Frame = RelayMessageOf<'subscribed' | 'message' | 'resumed' | 'gap' | 'reset'>

interface ModelTopic {
  /** Numbers up to here are of an earlier life. */
  base: number
  seq: number
  /** The numbers kept. */
  ring: number[]
}

/** Numbers of one life go up for ever; a message is known by both. */
interface Truth {
  readonly topic: string
  readonly life: number
  readonly seq: number
}

const KEPT = 4

/** Numbers, keeps and replays as `relay/hub` does. */
class ModelRelay {
  truths: Truth[] = []
  epoch = 'e1'
  life = 1
  /** Epoch to the life its numbers are of. */
  readonly lives = new Map([['e1', 1]])
  #topics = new Map<string, ModelTopic>()
  #forgottenSeq = 0

  publish(topic: string): RelayMessageOf<'message'> {
    const known = this.#topics.get(topic) ?? { base: this.#forgottenSeq, seq: this.#forgottenSeq, ring: [] }
    this.#topics.set(topic, known)
    known.seq += 1
    known.ring.push(known.seq)
    if (known.ring.length > KEPT) known.ring.shift()
    this.truths.push({ topic, life: this.life, seq: known.seq })
    return this.#toMessage(topic, known.seq)
  }

  subscribe({ id, topic: filter, resume }: ClientMessageOf<'subscribe'>): Frame[] {
    const levels = filter.split('/')
    const matching = [...this.#topics].filter(([topic]) => matchesTopic(levels, topic.split('/')))
    const positions = matching.map(([topic, { seq }]) => ({ topic, seq }))
    const subscribed: Frame = {
      type: 'subscribed',
      ...(id === undefined ? {} : { id }),
      topic: filter,
      epoch: this.epoch,
      positions,
      isComplete: true,
    }
    if (resume === undefined) return [subscribed]
    const named = new Set(resume.map(({ topic }) => topic))
    return [
      subscribed,
      ...resume.flatMap(({ topic, epoch, since }) => this.#resume(topic, epoch, since)),
      ...matching.filter(([topic]) => !named.has(topic)).flatMap(([topic]) => this.#resume(topic, this.epoch, 0)),
    ]
  }

  restart(isContinued: boolean): void {
    this.epoch = `e${String(this.lives.size + 1)}`
    if (!isContinued) {
      this.life += 1
      this.#topics.clear()
      this.#forgottenSeq = 0
    }
    this.lives.set(this.epoch, this.life)
  }

  forget(topic: string): void {
    this.#forgottenSeq = Math.max(this.#forgottenSeq, this.#topics.get(topic)?.seq ?? 0)
    this.#topics.delete(topic)
  }

  #resume(topic: string, epoch: string, since: number): Frame[] {
    const known = this.#topics.get(topic)
    const isKnownLife = this.lives.get(epoch) === this.life
    const isContinued = since === 0 || (known !== undefined && isKnownLife && since >= known.base && since <= known.seq)
    if (!isContinued) return [{ type: 'reset', topic, epoch: this.epoch }, ...(known?.ring ?? []).map((seq) => this.#toMessage(topic, seq))]
    const kept = (known?.ring ?? []).filter((seq) => seq > since)
    const from = Math.max(since, known?.base ?? 0) + 1
    const to = (kept[0] ?? (known?.seq ?? 0) + 1) - 1
    const messages = kept.map((seq) => this.#toMessage(topic, seq))
    if (to >= from) return [{ type: 'gap', topic, epoch: this.epoch, from, to }, ...messages]
    return [{ type: 'resumed', topic, epoch: this.epoch, count: messages.length }, ...messages]
  }

  #toMessage(topic: string, seq: number): RelayMessageOf<'message'> {
    return { type: 'message', topic, epoch: this.epoch, seq, time: 0, data: null }
  }
}

type Heard = TopicMessage | Loss

function runSteps(steps: readonly Step[]): { readonly relay: ModelRelay; readonly heard: ReadonlyMap<string, Heard[]> } {
  const relay = new ModelRelay()
  const table = createSubscriptionTable(() => {})
  const heard = new Map<string, Heard[]>()
  for (const filter of FILTERS) {
    const log: Heard[] = []
    heard.set(filter, log)
    table.add(
      filter,
      (message) => log.push(message),
      (loss) => log.push(loss),
    )
  }
  const line = { isOpen: false }

  function comeBack(reads: number): void {
    const asked = table.filters().flatMap((filter) => table.toSubscribe(filter, FRAME_BYTES) ?? [])
    const frames = asked.flatMap((message) => relay.subscribe(message))
    for (const frame of frames.slice(0, reads)) deliver(table, frame)
    line.isOpen = reads >= frames.length
  }
  function publish(topic: string, isDelivered: boolean): RelayMessageOf<'message'> {
    const message = relay.publish(topic)
    if (line.isOpen && isDelivered) deliver(table, message)
    return message
  }
  /** A topic that came to be and was forgotten again while the client was away: of that nobody can tell. */
  function excuseUnheardOf(): void {
    const late = TOPICS[LATE]
    if (heard.get('app/#')?.some(({ topic }) => topic === late) === true) return
    relay.truths = relay.truths.filter(({ topic }) => topic !== late)
  }
  function take(step: Step): void {
    switch (step.kind) {
      case 'publish':
        for (let time = 0; time < step.times; time += 1) publish(TOPICS[step.topic] ?? 'app/a', true)
        break
      case 'break':
        line.isOpen = false
        break
      case 'return':
        if (!line.isOpen) comeBack(step.reads)
        break
      case 'swallow':
        publish(TOPICS[step.topic] ?? 'app/a', false)
        break
      case 'fallBehind': {
        const topic = TOPICS[step.topic] ?? 'app/a'
        const missed = Array.from({ length: step.times }, () => publish(topic, false).seq)
        const [from = 1] = missed
        if (line.isOpen) deliver(table, { type: 'gap', topic, epoch: relay.epoch, from, to: missed.at(-1) ?? from })
        break
      }
      case 'restart':
        line.isOpen = false
        relay.restart(step.isContinued)
        if (!step.isContinued) excuseUnheardOf()
        break
      case 'forgetTopic':
        relay.forget(TOPICS[step.topic] ?? 'app/a')
        if (step.topic === LATE) excuseUnheardOf()
        break
    }
  }
  for (const topic of TOPICS.slice(0, LATE)) relay.publish(topic)
  relay.truths = []
  comeBack(Infinity)
  for (const step of steps) take(step)
  if (!line.isOpen) comeBack(Infinity)
  // Shows whatever is still missing.
  for (const topic of TOPICS) publish(topic, true)
  return { relay, heard }
}

function deliver(table: SubscriptionTable, frame: Frame): void {
  if (frame.type === 'subscribed') table.answered(frame)
  else if (frame.type === 'message') table.dispatch(frame)
  else table.notice(frame)
}

/** Walks what one listener heard of one topic beside what was published. @returns the first thing that is wrong. */
function findFault(heard: readonly Heard[], published: readonly Truth[], lives: ReadonlyMap<string, number>): string | undefined {
  const covered = new Set<string>()
  const toKey = (epoch: string, seq: number): string => `${String(lives.get(epoch))}:${String(seq)}`
  let next = 0
  let isReset = false
  for (const item of heard) {
    if ('kind' in item) {
      if (item.kind === 'reset') isReset = true
      else for (let seq = item.from; seq <= item.to; seq += 1) covered.add(toKey(item.epoch, seq))
      continue
    }
    const key = toKey(item.epoch, item.seq)
    const place = published.findIndex(({ life, seq }, index) => index >= next && `${String(life)}:${String(seq)}` === key)
    if (place === -1) return `${key} came twice or out of order`
    for (const { life, seq } of published.slice(next, place)) {
      if (!isReset && !covered.has(`${String(life)}:${String(seq)}`)) return `${String(life)}:${String(seq)} is missing without a word`
    }
    next = place + 1
    isReset = false
  }
  return next === published.length ? undefined : 'the end is missing'
}

function findFaults(steps: readonly Step[]): string[] {
  const { relay, heard } = runSteps(steps)
  return [...heard].flatMap(([filter, log]) =>
    TOPICS.filter((topic) => matchesTopic(filter.split('/'), topic.split('/'))).flatMap((topic) => {
      const fault = findFault(
        log.filter((item) => item.topic === topic),
        relay.truths.filter((truth) => truth.topic === topic),
        relay.lives,
      )
      return fault === undefined ? [] : [`${filter} ${topic}: ${fault}`]
    }),
  )
}

describe('nothing is lost in silence', () => {
  it('[ST1] each number comes once and in order, or a loss report covers it, whatever happens to line and relay', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 40 }), (steps) => {
        expect(findFaults(steps)).toEqual([])
      }),
      { numRuns: 1000 },
    )
  })

  it('[ST2] reports no loss while line and relay hold', () => {
    const { heard } = runSteps([
      { kind: 'publish', topic: 0, times: 9 },
      { kind: 'publish', topic: 2, times: 3 },
      { kind: 'publish', topic: LATE, times: 3 },
      { kind: 'break' },
      { kind: 'publish', topic: 0, times: KEPT },
      { kind: 'return', reads: 3 },
      { kind: 'return', reads: Infinity },
    ])
    expect([...heard.values()].flat().filter((item) => 'kind' in item)).toEqual([])
    expect([...heard.values()].map((log) => log.length)).toEqual([9 + KEPT + 3 + 3, 9 + KEPT + 1, 4])
  })
})

describe('listeners', () => {
  const message = (topic: string, seq: number): TopicMessage => ({ type: 'message', topic, epoch: 'e', seq, time: 0, data: null })

  it('[ST3] tells a loss as a problem where no listener asks to hear of it', () => {
    const problems: ClientProblem[] = []
    const table = createSubscriptionTable((problem) => problems.push(problem))
    const stop = (): void => {}
    table.add('app/a', stop)
    table.dispatch(message('app/a', 1))
    table.dispatch(message('app/a', 4))
    expect(problems).toEqual([{ code: 'client.messages_lost', message: 'Messages 2 to 3 of "app/a" are lost.' }])
    const losses: Loss[] = []
    table.add('app/a', stop, (loss) => losses.push(loss))
    table.dispatch(message('app/a', 6))
    expect(problems).toHaveLength(1)
    expect(losses).toEqual([{ kind: 'gap', topic: 'app/a', epoch: 'e', from: 5, to: 5 }])
  })

  it('[ST4] hands every message of a latest topic on, repeated last values too, and counts none of them', () => {
    const table = createSubscriptionTable(() => {
      throw new Error('nothing is lost')
    })
    const seen: number[] = []
    table.add('emotion/#', ({ seq }) => seen.push(seq))
    for (const seq of [3, 9, 9]) table.dispatch({ ...message('emotion/desk', seq), isRetained: true })
    table.notice({ type: 'reset', topic: 'emotion/desk', epoch: 'other' })
    expect(seen).toEqual([3, 9, 9])
  })

  it('[ST5] takes no answer to an earlier subscription for one to the present', () => {
    const table = createSubscriptionTable(() => {})
    const answer = (id: string, seq: number): void => {
      table.answered({ type: 'subscribed', id, topic: 'app/#', epoch: 'e', positions: [{ topic: 'app/a', seq }], isComplete: true })
    }
    const losses: Loss[] = []
    const listen = (): void => {}
    table.add('app/#', listen)
    const first = table.toSubscribe('app/#', FRAME_BYTES)?.id ?? ''
    table.remove('app/#', listen)
    table.add('app/#', listen, (loss) => losses.push(loss))
    const second = table.toSubscribe('app/#', FRAME_BYTES)?.id ?? ''
    answer(first, 4)
    answer(second, 9)
    table.dispatch(message('app/a', 10))
    expect(losses).toEqual([])
    expect(table.findFilter(second)).toBe('app/#')
    expect(table.findFilter(first)).toBeUndefined()
  })
})
