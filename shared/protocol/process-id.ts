/**
 * PIDs: how programs that think in processes write the address of a peer, `{host|id}` or `{node@host|id}`. Pure spelling; whether somebody is
 * there is the hub's to say.
 *
 * | PID | address |
 * |---|---|
 * | `{peer|4fJq}` | `peer/4fJq`: a connection |
 * | `{relay|7}`, `{app:rooms|7}` | `process/relay/7`, `process/app/rooms/7`: a handler inside the relay |
 * | `{name|chat}` | whoever is registered under that name |
 */
import { fail, succeed, type Result } from './errors.ts'
import { parseTopic } from './topic-filter.ts'

export interface ProcessId {
  /** Before an `@`; accepted and not used: an id is the same wherever it is asked for. */
  readonly node: string | undefined
  readonly host: string
  readonly id: string
}

/** The host of connections. */
export const PEER_HOST = 'peer'
/** Stands for no host: the id is a registered name. */
export const NAME_HOST = 'name'
/** The first level of the address of every handler inside the relay. */
const PROCESS_LEVEL = 'process'

/** A middle part, as in `{host|kind|id}`, is read and dropped. Fails with `process.invalid_pid`; the texts are part of the protocol. */
export function parseProcessId(text: string): Result<ProcessId> {
  if (!text.startsWith('{') || !text.endsWith('}') || text.length < 2) {
    return fail('process.invalid_pid', 'invalid pid format: missing braces')
  }
  const inner = text.slice(1, -1)
  const first = inner.indexOf('|')
  if (first === -1) return fail('process.invalid_pid', 'invalid pid format: missing pipe')
  const place = inner.slice(0, first)
  const at = place.indexOf('@')
  return succeed({
    node: at === -1 ? undefined : place.slice(0, at),
    host: place.slice(at + 1),
    id: inner.slice(inner.lastIndexOf('|') + 1),
  })
}

export function formatProcessId({ node, host, id }: ProcessId): string {
  return `{${node === undefined ? '' : `${node}@`}${host}|${id}}`
}

/** Undefined for what cannot be an address here, and for names: those are looked up. */
export function toAddress({ host, id }: ProcessId): string | undefined {
  if (host === NAME_HOST) return undefined
  const levels = host === PEER_HOST ? [PEER_HOST, id] : [PROCESS_LEVEL, ...host.split(':'), id]
  const address = levels.join('/')
  // A "/" inside a part would make more levels than were written.
  const parsed = parseTopic(address)
  return parsed.ok && parsed.value.length === levels.length ? address : undefined
}

/** @param address well formed. Peers of one level (services) are written as themselves. */
export function toProcessId(address: string): string {
  const levels = address.split('/')
  const id = levels.pop() ?? ''
  if (levels[0] === PROCESS_LEVEL && levels.length > 1) levels.shift()
  return levels.length === 0 ? id : formatProcessId({ node: undefined, host: levels.join(':'), id })
}

/** The address that a text means which may be one, or a PID. A PID that cannot be an address, and a name's, stay as they are. */
export function readAddress(text: string): string {
  if (!text.startsWith('{')) return text
  const pid = parseProcessId(text)
  return (pid.ok ? toAddress(pid.value) : undefined) ?? text
}
