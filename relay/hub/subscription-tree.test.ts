import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matchesTopic } from '#shared/protocol/topic-filter'
import type { Receiver } from './subscription-tree.ts'
import { createSubscriptionTree } from './subscription-tree.ts'

interface Named extends Receiver {
  readonly address: string
}
const PEERS: readonly Named[] = ['one', 'two', 'three'].map((address) => ({ address, size: 1, receive: () => {} }))
const peer = fc.constantFrom(...PEERS)
const level = fc.constantFrom('a', 'b')
const topic = fc.array(level, { minLength: 1, maxLength: 4 })
const filter = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', '+'), { maxLength: 3 }), fc.constantFrom('a', '+', '#'))
  .map(([levels, last]) => [...levels, last])
const step = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), filter, peer }),
  fc.record({ kind: fc.constant('remove' as const), filter, peer }),
  fc.record({ kind: fc.constant('find' as const), topic }),
)

describe('subscription tree', () => {
  it('[SU1] finds the same peers as a plain list, whatever came and went, with a cache of any size', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom(1, 3, 100), (steps, cachedRoutes) => {
        const tree = createSubscriptionTree(cachedRoutes)
        let model: { readonly filter: readonly string[]; readonly peer: Named }[] = []
        for (const action of steps) {
          if (action.kind === 'find') {
            const expected = new Set(model.filter((entry) => matchesTopic(entry.filter, action.topic)).map((entry) => entry.peer.address))
            const found = PEERS.filter((one) => tree.find(action.topic.join('/')).includes(one)).map((one) => one.address)
            expect([...found].sort()).toEqual([...expected].sort())
            continue
          }
          const isSame = (entry: { filter: readonly string[]; peer: Named }): boolean =>
            entry.peer === action.peer && entry.filter.join('/') === action.filter.join('/')
          model = model.filter((entry) => !isSame(entry))
          if (action.kind === 'add') model.push({ filter: action.filter, peer: action.peer })
          if (action.kind === 'add') tree.add(action.filter, action.peer)
          else tree.remove(action.filter, action.peer)
        }
        for (const entry of model) tree.remove(entry.filter, entry.peer)
        expect(tree.size()).toBe(1)
      }),
      { numRuns: 300 },
    )
  })
})
