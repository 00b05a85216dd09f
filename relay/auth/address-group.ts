/** Which addresses count as one. Who has an IPv6 connection has a whole /64 of addresses to come from (RFC 6177), so a /64 counts as one address. */
import { isIPv6 } from 'node:net'

const HEXTETS = 8
const HEXTETS_OF_PREFIX = 4

/**
 * @param address as sockets give it: IPv4, IPv6 in any spelling and with any zone, IPv4 within IPv6, or a name of our own.
 * @returns the same text for addresses that count as one; IPv4 within IPv6 (RFC 4291 section 2.5.5.2) is IPv4.
 */
export function groupAddress(address: string): string {
  const [bare = address] = address.split('%')
  if (!isIPv6(bare)) return address
  const hextets = toHextets(bare)
  const [high = 0, low = 0] = hextets.slice(6)
  const isMapped = hextets.slice(0, 5).every((hextet) => hextet === 0) && hextets[5] === 0xffff
  if (isMapped) return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.')
  const prefix = hextets.slice(0, HEXTETS_OF_PREFIX).map((hextet) => hextet.toString(16))
  return `${prefix.join(':')}::/64`
}

/** @param address valid IPv6 without a zone. */
function toHextets(address: string): readonly number[] {
  const [head = '', tail] = address.split('::')
  const before = toNumbers(head)
  if (tail === undefined) return before
  const after = toNumbers(tail)
  return [...before, ...Array.from({ length: HEXTETS - before.length - after.length }, () => 0), ...after]
}

function toNumbers(part: string): number[] {
  if (part === '') return []
  return part.split(':').flatMap((group) => (group.includes('.') ? fromDotted(group) : [Number.parseInt(group, 16)]))
}

function fromDotted(dotted: string): number[] {
  const [first = 0, second = 0, third = 0, fourth = 0] = dotted.split('.').map(Number)
  return [first * 256 + second, third * 256 + fourth]
}
