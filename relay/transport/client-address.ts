/**
 * Whose address a connection counts for. Behind a proxy every connection comes from the proxy, which names the real one in `X-Forwarded-For`;
 * anybody else can write that header too, so it is read only where the operator named the proxy.
 */
import { BlockList, isIP, isIPv4, SocketAddress } from 'node:net'

/** @returns the address the connection counts for. */
export type ReadClientAddress = (peer: string, forwardedFor: string | undefined) => string

/** @param trusted addresses and subnets, checked before with `findBadSubnet`; one that is none is nobody's. */
export function createClientAddressReader(trusted: readonly string[]): ReadClientAddress {
  if (trusted.length === 0) return (peer) => normalizeAddress(peer)
  const proxies = new BlockList()
  for (const text of trusted) addSubnet(proxies, text)
  const isTrusted = (address: string): boolean => isIP(address) !== 0 && proxies.check(address, isIPv4(address) ? 'ipv4' : 'ipv6')
  return (peer, forwardedFor) => {
    let address = normalizeAddress(peer)
    const hops = (forwardedFor ?? '').split(',').map((hop) => normalizeAddress(hop.trim()))
    // Each proxy appends who spoke to it: read from the right, as long as those who wrote it are trusted.
    while (isTrusted(address)) {
      const hop = hops.pop()
      if (hop === undefined || isIP(hop) === 0) return address
      address = hop
    }
    return address
  }
}

/** @returns the first entry that is neither an address nor a subnet, for the operator. */
export function findBadSubnet(subnets: readonly string[]): string | undefined {
  return subnets.find((text) => !addSubnet(new BlockList(), text))
}

function addSubnet(list: BlockList, text: string): boolean {
  const [network = '', prefix, ...more] = text.trim().split('/')
  const version = isIP(network)
  if (version === 0 || more.length > 0) return false
  const family = version === 4 ? 'ipv4' : 'ipv6'
  const longest = version === 4 ? 32 : 128
  const bits = prefix === undefined ? longest : /^\d{1,3}$/.test(prefix) ? Number(prefix) : longest + 1
  if (bits > longest) return false
  list.addSubnet(network, bits, family)
  return true
}

/** One spelling for each address, whatever the transport gives: IPv4 inside IPv6 as IPv4, IPv6 as short as it goes. Other text stays. */
function normalizeAddress(text: string): string {
  const address = stripPort(text)
  if (isIPv4(address) || isIP(address) === 0) return address
  const short = new SocketAddress({ address, family: 'ipv6' }).address
  return short.startsWith('::ffff:') ? mappedToIpv4(short) : short
}

/** Some proxies write `192.0.2.1:4711` or `[2001:db8::1]:4711`. */
function stripPort(text: string): string {
  const match = /^\[([^\]]+)\](?::\d+)?$/.exec(text) ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text)
  return match?.[1] ?? text
}

function mappedToIpv4(address: string): string {
  const last = address.slice(address.lastIndexOf(':') + 1)
  return isIPv4(last) ? last : address
}
