/** Node ids as OPC UA writes them (Part 6, 5.3.1.10): `ns=2;s=Carousel.Position`, `i=2258`, `ns=3;g=…`, `ns=4;b=…`. Pure. */
import type { ValueType } from '../tagged/tag-map.ts'

/** As it was written: the server's own text. */
export type OpcuaAddress = string

export const OPCUA_ADDRESS = {
  parse: parseNodeId,
  expected: 'a node id like ns=2;s=Carousel.Position or ns=3;i=1001',
  /** Values come with their types; written is what the server says the node holds, and this where it does not say. */
  defaultType: (): ValueType => 'int16',
} as const

const MAX_NAMESPACE = 65_535
const MAX_NUMBER = 4_294_967_295
/** Part 6, 5.2.2.9: identifiers are at most 4,096 characters. */
const MAX_TEXT = 4_096
const GUID = /^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$/
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

export function parseNodeId(text: string): OpcuaAddress | undefined {
  const [, , namespace = '0', kind, identifier = ''] = /^(ns=(\d{1,5});)?([isgb])=([^]+)$/.exec(text) ?? []
  if (Number(namespace) > MAX_NAMESPACE || identifier.length > MAX_TEXT) return undefined
  switch (kind) {
    case 'i':
      return /^\d{1,10}$/.test(identifier) && Number(identifier) <= MAX_NUMBER ? text : undefined
    case 's':
      return text
    case 'g':
      return GUID.test(identifier) ? text : undefined
    case 'b':
      return BASE64.test(identifier) ? text : undefined
    default:
      return undefined
  }
}
