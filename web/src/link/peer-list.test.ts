import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parsePeerList } from './peer-list.ts'

describe('list of peers', () => {
  it('[PL1] reads what the relay says', () => {
    const peers = [
      { peer: 'peer/1', roles: ['station'], client: 'page@1' },
      { peer: 'peer/2', roles: [] },
    ]
    expect(parsePeerList({ peers, isComplete: false, epoch: 'e', seq: 3 })).toEqual({ peers, isComplete: false })
  })

  it('[PL2] leaves out what makes no sense, and takes nothing else for a list', () => {
    expect(parsePeerList({ peers: [{ peer: 1 }, null, 'x', { peer: 'peer/1', roles: [2, 'admin'] }], isComplete: true })).toEqual({
      peers: [{ peer: 'peer/1', roles: ['admin'] }],
      isComplete: true,
    })
    expect(parsePeerList(undefined)).toBeUndefined()
    expect(parsePeerList({ peers: {} })).toBeUndefined()
    fc.assert(
      fc.property(fc.anything(), (value) => {
        parsePeerList({ peers: value })
        parsePeerList({ peers: [value] })
        parsePeerList(value)
      }),
    )
  })
})
