import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { groupAddress } from './address-group.ts'
import { createConnectionLimits } from './connection-limits.ts'

describe('connection limits', () => {
  it('[CL1] lets in as many per address and per user as said, each counted for itself', () => {
    const limits = createConnectionLimits({ perAddress: 2, perUser: 1 })
    expect([limits.enter('a'), limits.enter('a'), limits.enter('a'), limits.enter('b')]).toEqual([true, true, false, true])
    expect([limits.enterUser('a'), limits.enterUser('a'), limits.enterUser('b')]).toEqual([true, false, true])
    limits.leave('a')
    limits.leaveUser('a')
    expect([limits.enter('a'), limits.enter('a'), limits.enterUser('a'), limits.enterUser('a')]).toEqual([true, false, true, false])
  })
  it('[CL2] remembers nobody who is gone, and gives no credit for leaving twice', () => {
    const limits = createConnectionLimits({ perAddress: 1, perUser: 1 })
    limits.leave('a')
    limits.leaveUser('u')
    expect([limits.enter('a'), limits.enter('a'), limits.enterUser('u'), limits.enterUser('u')]).toEqual([true, false, true, false])
    for (let times = 0; times < 3; times += 1) {
      limits.leave('a')
      limits.leaveUser('u')
    }
    expect(limits.size()).toEqual({ addresses: 0, users: 0 })
    expect([limits.enter('a'), limits.enter('a')]).toEqual([true, false])
  })
  it('[CL3] counts as a model of lists does', () => {
    const step = fc.record({
      isEntering: fc.boolean(),
      address: fc.constantFrom('10.0.0.1', '::1', '::2', '::ffff:10.0.0.1', '2001:db8::9'),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const limits = createConnectionLimits({ perAddress: 3, perUser: 1 })
        const model: Record<string, number> = {}
        const nameOf = (address: string): string => (address.endsWith('10.0.0.1') ? 'v4' : address.startsWith('2001') ? 'db8' : 'zero')
        for (const { isEntering, address } of steps) {
          const name = nameOf(address)
          const count = model[name] ?? 0
          if (isEntering) expect(limits.enter(address)).toBe(count < 3)
          else limits.leave(address)
          model[name] = isEntering ? Math.min(3, count + 1) : Math.max(0, count - 1)
        }
        expect(limits.size().addresses).toBe(Object.values(model).filter((count) => count > 0).length)
      }),
    )
  })
})

describe('addresses that count as one', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['0000:0000:0000:0000:0000:ffff:c000:0207', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002:ffff:ffff:ffff:ffff', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['64:ff9b::192.0.2.7', '64:ff9b:0:0::/64'],
    ['in memory', 'in memory'],
    ['', ''],
  ])('[AG1] puts %s in %s', (address, group) => {
    expect(groupAddress(address)).toBe(group)
  })
  it('[AG2] tells networks apart by exactly the first 64 bits', () => {
    const hextets = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 })
    const write = (numbers: readonly number[]): string => numbers.map((number) => number.toString(16)).join(':')
    fc.assert(
      fc.property(hextets, hextets, (one, other) => {
        // 2000::/3 is what the internet uses; IPv4 within IPv6 is another matter.
        const first = [(one[0] ?? 0) | 0x2000, ...one.slice(1)]
        const sameNetwork = [...first.slice(0, 4), ...other.slice(4)]
        expect(groupAddress(write(sameNetwork))).toBe(groupAddress(write(first)))
        const bit = (other[0] ?? 0) % 64
        const otherNetwork = first.map((hextet, index) => (index === bit >> 4 ? hextet ^ (1 << (bit & 15)) : hextet))
        expect(groupAddress(write(otherNetwork))).not.toBe(groupAddress(write(first)))
      }),
    )
  })
  it('[AG3] answers any text', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.ipV6()), (text) => typeof groupAddress(text) === 'string'))
  })
})
