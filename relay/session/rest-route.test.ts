import { describe, expect, it } from 'vitest'
import { fail, succeed } from '#shared/protocol/errors'
import { createKeptLog } from '#shared/testing/kept-log'
import { createSeededRandom } from '#shared/testing/seeded-random'
import { createTestHub, SOMEBODY } from '../hub/testing/test-hub.ts'
import type { HttpRequest, Identity, RestCaller, RestRoute } from '../ports.ts'
import { startService, type ServiceMethod } from '../service/service-peer.ts'
import { createRestRoute } from './rest-route.ts'

const GUEST: Identity = { ...SOMEBODY, subject: 'guest/1', roles: ['viewer'] }
const REQUEST: HttpRequest = {
  ...{ method: 'GET', path: '/v1/x', query: new URLSearchParams(), headers: new Map(), remoteAddress: '127.0.0.1' },
  readBody: () => Promise.resolve(succeed(new Uint8Array())),
  onGone: () => undefined,
}

function setUp({
  token,
  guest,
  methods = [],
  mayAsk = true,
}: { token?: string; guest?: Identity; methods?: [string, ServiceMethod][]; mayAsk?: boolean } = {}) {
  const test = createTestHub()
  startService(test.hub, 'machines', new Map(methods), createKeptLog())
  const dependencies = {
    hub: test.hub,
    policy: {
      check: (_by: Identity, _action: string, to: string) => (to === 'machines' ? succeed(undefined) : fail('auth.forbidden', 'No.')),
    },
    random: createSeededRandom(1),
    createGuest: () => guest,
    mayAsk: () => mayAsk,
    toResponse: ({ code }: { code: string }) => ({ status: 400, headers: {}, body: code }),
    sessions: { ...SESSIONS },
    verifier: { verify: (given: string) => Promise.resolve(given === 'good' ? succeed(SOMEBODY) : fail('auth.token_invalid', 'No.')) },
    originPolicy: () => succeed(undefined),
    metrics: test.metrics,
    findToken: () => token,
    isReady: () => true,
  }
  async function ask(route: Partial<RestRoute>, question?: Parameters<RestCaller['call']>[0]): Promise<unknown> {
    const answer: RestRoute['answer'] = async (_request, caller) => {
      const result = question === undefined ? succeed(caller.identity.subject) : await caller.call(question)
      return { status: 200, headers: {}, body: JSON.stringify(result.ok ? result.value : result.failure.code) }
    }
    const answered = await createRestRoute({ path: '/v1/x', methods: ['GET'], door: 'compat', answer, ...route }, dependencies).answer(
      REQUEST,
    )
    return 'body' in answered ? [answered.status, String(answered.body)] : undefined
  }
  return { ...test, ask }
}

const unused = (): never => {
  throw new Error('not needed here')
}
const SESSIONS = {
  findFullBound: () => undefined,
  ...{ open: unused, drain: unused, endSome: unused, endUser: unused, terminateAll: unused, count: unused, waitingBytes: unused },
  slowest: unused,
}

describe('REST twins', () => {
  it('[RR1] know who asks: the token where there is one, the guest where the operator lets them, else nobody', async () => {
    expect(await setUp({ token: 'good', guest: GUEST }).ask({})).toEqual([200, '"somebody"'])
    expect(await setUp({ guest: GUEST }).ask({})).toEqual([200, '"guest/1"'])
    expect(await setUp().ask({})).toEqual([400, 'auth.token_missing'])
    expect(await setUp({ guest: GUEST }).ask({ door: 'token' })).toEqual([400, 'auth.token_missing'])
    expect(await setUp({ token: 'bad', guest: GUEST }).ask({})).toEqual([400, 'auth.token_invalid'])
    expect(await setUp().ask({ door: 'open' })).toEqual([200, '"nobody"'])
  })
  it('[RR2] refuse in the words of the older system where it has its own', async () => {
    const refuse = ({ code }: { code: string }) => ({ status: 401, headers: {}, body: `no: ${code}` })
    expect(await setUp().ask({ refuse })).toEqual([401, 'no: auth.token_missing'])
  })
  it('[RR3] ask services over the bus with the rights of whoever asks, and leave nothing behind', async () => {
    const methods: [string, ServiceMethod][] = [
      ['list', ({ by, data, attachment }) => succeed([by.subject, data, attachment?.length])],
      ['fail', () => fail('machine.unknown', 'No.')],
      ['throw', () => Promise.reject(new Error('a defect'))],
    ]
    const { ask, hub } = setUp({ guest: GUEST, methods })
    const question = { to: 'machines', method: 'list', data: 1, attachment: new Uint8Array(3) }
    expect(await ask({}, question)).toEqual([200, '["guest/1",1,3]'])
    expect(await ask({}, { to: 'machines', method: 'fail' })).toEqual([200, '"machine.unknown"'])
    expect(await ask({}, { to: 'machines', method: 'throw' })).toEqual([200, '"server.internal"'])
    expect(await ask({}, { to: 'machines', method: 'none' })).toEqual([200, '"request.unknown_method"'])
    expect(await ask({}, { to: 'relay', method: 'time' })).toEqual([200, '"auth.forbidden"'])
    expect(hub.measure()).toMatchObject({ peers: 1, pendingRequests: 0 })
  })
  it('[RR5] bounds how often one address may ask, and leaves what is open to anybody open', async () => {
    const { ask, counts } = setUp({ guest: GUEST, mayAsk: false })
    expect(await ask({})).toEqual([400, 'rate.limited'])
    expect(counts.get('limit_hits_total messages_per_second')).toBe(1)
    expect(await ask({ door: 'open' })).toEqual([200, '"nobody"'])
  })
  it('[RR4] end when the deadline passes', async () => {
    const { ask, clock } = setUp({ guest: GUEST, methods: [['wait', () => new Promise(() => undefined)]] })
    const asked = ask({}, { to: 'machines', method: 'wait', deadlineMs: 100 })
    await Promise.resolve()
    await Promise.resolve()
    await new Promise((resolve) => setImmediate(resolve))
    clock.advance(101)
    expect(await asked).toEqual([200, '"request.deadline_passed"'])
  })
})
