/** Addresses as an operator writes them: which of them only this machine can reach, and ranges of them. */
import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net'

/** Only this machine can reach it. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost') return true
  const loopback = new BlockList()
  loopback.addSubnet('127.0.0.0', 8, 'ipv4')
  loopback.addAddress('::1', 'ipv6')
  if (isIPv4(host)) return loopback.check(host, 'ipv4')
  return isIPv6(host) && loopback.check(host, 'ipv6')
}

/** `10.0.0.1`, `10.0.0.0/8`, `fd00::/8`. */
export function isAddressRange(text: string): text is string {
  const [address = '', bits, ...rest] = text.split('/')
  const family = isIP(address)
  if (family === 0 || rest.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
}
