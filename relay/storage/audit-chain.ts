/**
 * The lines of the audit log: JSON, numbered, each holding the hash of the one before and, last, its own. Pure but for the hash. A line that is changed,
 * taken out or put in breaks the chain at that place. What was cut off at the end cannot be seen in the file alone: keep the last hash
 * elsewhere (the relay logs it, `npm run audit -- verify` prints it).
 */
import { createHash } from 'node:crypto'
import { isRecord } from '#shared/protocol/record'

/** Where a chain stands. */
export interface ChainHead {
  /** Lines so far. */
  readonly count: number
  /** Of the last line, hexadecimal. */
  readonly hash: string
}

export const CHAIN_START: ChainHead = { count: 0, hash: '0'.repeat(64) }

export interface ChainLine {
  /** With its line feed. */
  readonly text: string
  readonly head: ChainHead
}

/** Written after a line that was torn off when the machine lost power: what is left of it stays, and this says so. */
export interface TornNote {
  readonly tornBytes: number
  readonly tornHash: string
}

export type LineVerdict =
  | { readonly ok: true; readonly head: ChainHead; readonly value: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly why: string }

/** `,"hash":"<64>"}` */
const TAIL = /^(.*),"hash":"([0-9a-f]{64})"\}$/s

export function hashText(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex')
}

export function writeLine(head: ChainHead, value: object): ChainLine {
  const count = head.count + 1
  const body = JSON.stringify({ n: count, prev: head.hash, ...value }).slice(0, -1)
  const hash = hashText(body)
  return { text: `${body},"hash":"${hash}"}\n`, head: { count, hash } }
}

/** @param line without its line feed. */
export function readLine(head: ChainHead | undefined, line: string): LineVerdict {
  const parts = TAIL.exec(line)
  const value = parts === null ? undefined : parseObject(line)
  const [, body = '', hash = ''] = parts ?? []
  if (value === undefined) return { ok: false, why: 'is no whole line of an audit log' }
  const { n, prev } = value
  if (typeof n !== 'number') return { ok: false, why: 'has no number' }
  if (hashText(body) !== hash) return { ok: false, why: 'was changed: its hash does not fit it' }
  if (head !== undefined && n !== head.count + 1)
    return { ok: false, why: `has the number ${String(n)} where ${String(head.count + 1)} was expected` }
  if (head !== undefined && prev !== head.hash) return { ok: false, why: 'does not follow the line before it' }
  return { ok: true, head: { count: n, hash }, value }
}

export function tornNote(torn: string): TornNote {
  return { tornBytes: Buffer.byteLength(torn), tornHash: hashText(torn) }
}

/** Whether this line says that the one before it was torn. */
export function notesTorn(value: Readonly<Record<string, unknown>>, torn: string): boolean {
  return value['tornHash'] === hashText(torn)
}

function parseObject(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}
