import { describe, expect, it } from 'vitest'
import { createClientAddressReader, findBadSubnet } from './client-address.ts'

describe('client address', () => {
  it('[CA1] is the peer when no proxy is trusted, whatever the header says', () => {
    const read = createClientAddressReader([])
    expect(read('192.0.2.1', '198.51.100.7')).toBe('192.0.2.1')
    expect(read('192.0.2.1', undefined)).toBe('192.0.2.1')
  })
  it.each([
    ['10.0.0.1', '198.51.100.7', '198.51.100.7'],
    ['10.0.0.1', '203.0.113.66, 198.51.100.7', '198.51.100.7'],
    ['10.0.0.1', '203.0.113.66, 198.51.100.7, 10.2.3.4', '198.51.100.7'],
    ['10.0.0.1', '10.9.9.9, 10.2.3.4', '10.9.9.9'],
    ['10.0.0.1', undefined, '10.0.0.1'],
    ['10.0.0.1', '', '10.0.0.1'],
    ['10.0.0.1', 'unknown', '10.0.0.1'],
    ['10.0.0.1', 'evil, 10.2.3.4', '10.2.3.4'],
    ['10.0.0.1', '198.51.100.7:4711', '198.51.100.7'],
    ['::ffff:10.0.0.1', '[2001:db8::1]:4711', '2001:db8::1'],
    ['2001:db8:ffff::2', '198.51.100.7', '198.51.100.7'],
    ['2001:db8:fffe::2', '198.51.100.7', '2001:db8:fffe::2'],
    ['192.0.2.1', '198.51.100.7', '192.0.2.1'],
  ])('[CA2] from peer %s with the header %s is %s: the right-most that no trusted proxy is', (peer, header, expected) => {
    const read = createClientAddressReader(['10.0.0.0/8', '2001:db8:ffff::/48'])
    expect(read(peer, header)).toBe(expected)
  })
  it.each([
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['0000:0000:0000:0000:0000:ffff:c000:0201', '192.0.2.1'],
    ['0000:0000:0000:0000:0000:0000:0000:0001', '::1'],
    ['2001:0DB8:0000:0000:0000:0000:0000:0001', '2001:db8::1'],
    ['', ''],
    ['a name', 'a name'],
  ])('[CA3] spells %s as %s', (given, expected) => {
    expect(createClientAddressReader([])(given, undefined)).toBe(expected)
  })
  it('[CA4] names the first subnet that is none', () => {
    expect(findBadSubnet(['10.0.0.0/8', '192.0.2.1', '::1', '2001:db8::/32', ' 127.0.0.1 '])).toBeUndefined()
    for (const bad of ['10.0.0.0/33', '::1/129', '10.0.0', 'localhost', '10.0.0.0/8/8', '10.0.0.0/', '10.0.0.0/x', '']) {
      expect(findBadSubnet(['10.0.0.0/8', bad])).toBe(bad)
    }
  })
})
