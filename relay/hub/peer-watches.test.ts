import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PeerExit } from '../ports.ts'
import { createTestHub } from './testing/test-hub.ts'

const BROKEN: PeerExit = { reason: 'connection lost', isAbnormal: true }
const DONE: PeerExit = { reason: 'closed', isAbnormal: false }

describe('peer watches', () => {
  it('[PW1] tells a monitor once when the peer leaves, however it ends and however often it asked', () => {
    const { hub, join } = createTestHub()
    const [one] = [join('one'), join('two')]
    expect(hub.monitor('one', 'two', false)).toMatchObject({ ok: true })
    expect(hub.monitor('one', 'two', false)).toMatchObject({ ok: true })
    hub.leave('two', DONE)
    hub.leave('two', BROKEN)
    expect(one).toEqual([{ kind: 'exited', address: 'two', exit: DONE }])
    expect(hub.measure().watches).toBe(0)
  })
  it('[PW2] tells linked peers, both of them, of abnormal ends only', () => {
    const { hub, join } = createTestHub()
    const [a, b, c] = [join('a'), join('b'), join('c')]
    hub.monitor('a', 'b', true)
    hub.monitor('a', 'c', true)
    hub.leave('c', DONE)
    hub.leave('a', BROKEN)
    expect([a, c]).toEqual([[], []])
    expect(b).toEqual([{ kind: 'exited', address: 'a', exit: BROKEN }])
  })
  it('[PW3] says no more once the monitor asked so, and nobody can monitor who is not there', () => {
    const { hub, join } = createTestHub()
    const [one] = [join('one'), join('two')]
    hub.monitor('one', 'two', false)
    hub.demonitor('one', 'two')
    hub.demonitor('one', 'nobody')
    hub.leave('two', BROKEN)
    expect(one).toEqual([])
    expect(hub.monitor('one', 'two', false)).toMatchObject({ ok: false, failure: { code: 'request.unknown_target' } })
  })
  it('[PW4] bounds what one peer monitors', () => {
    const { hub, join } = createTestHub({ limits: { pendingRequestsPerPeer: 2 } })
    for (const address of ['one', 'a', 'b', 'c']) join(address)
    expect(['a', 'b', 'c', 'a'].map((to) => hub.monitor('one', to, false).ok)).toEqual([true, true, false, true])
  })
  it('[PW7] lets nobody weaken what another monitors by linking to it', () => {
    const { hub, join } = createTestHub()
    const [backend] = [join('backend'), join('client')]
    hub.monitor('backend', 'client', false)
    hub.monitor('client', 'backend', true)
    hub.leave('client', DONE)
    expect(backend).toEqual([{ kind: 'exited', address: 'client', exit: DONE }])
  })
  it('[PW8] lets nobody fill the room of another by linking to it', () => {
    const { hub, join } = createTestHub({ limits: { pendingRequestsPerPeer: 2 } })
    for (const address of ['backend', 'a', 'b', 'c']) join(address)
    for (const from of ['a', 'b', 'c']) expect(hub.monitor(from, 'backend', true).ok).toBe(true)
    expect(['a', 'b', 'c'].map((to) => hub.monitor('backend', to, false).ok)).toEqual([true, true, false])
    for (const to of ['a', 'b']) hub.demonitor('backend', to)
    expect(['c', 'b', 'a'].map((to) => hub.monitor('backend', to, false).ok)).toEqual([true, true, false])
  })
  it('[PW5] tells a listener of the process in a microtask when the peer is gone already', async () => {
    const { hub } = createTestHub()
    const heard: PeerExit[] = []
    hub.watch('nobody', (exit) => void heard.push(exit))
    hub.watch('nobody', () => void heard.push(DONE))()
    expect(heard).toEqual([])
    await Promise.resolve()
    expect(heard).toEqual([{ reason: 'not there', isAbnormal: true }])
  })
  it('[PW6] leaves nothing behind once everybody has left, in whatever order', () => {
    const names = ['a', 'b', 'c', 'd']
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('monitor' as const),
        from: fc.constantFrom(...names),
        to: fc.constantFrom(...names),
        isLinked: fc.boolean(),
      }),
      fc.record({ kind: fc.constant('demonitor' as const), from: fc.constantFrom(...names), to: fc.constantFrom(...names) }),
      fc.record({ kind: fc.constant('leave' as const), who: fc.constantFrom(...names), isAbnormal: fc.boolean() }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const { hub, join } = createTestHub()
        for (const name of names) join(name)
        for (const each of steps) {
          if (each.kind === 'monitor') hub.monitor(each.from, each.to, each.isLinked)
          else if (each.kind === 'demonitor') hub.demonitor(each.from, each.to)
          else hub.leave(each.who, { reason: 'x', isAbnormal: each.isAbnormal })
        }
        for (const name of names) hub.leave(name, DONE)
        expect(hub.measure().watches).toBe(0)
      }),
    )
  })
})
