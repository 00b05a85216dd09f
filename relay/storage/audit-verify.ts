/** Verifies an audit log from its first line to its last, as its lines are read, and finds the first that is broken. */
import { CHAIN_START, notesTorn, readLine, type ChainHead } from './audit-chain.ts'

export type AuditVerdict =
  | { readonly ok: true; readonly head: ChainHead; readonly torn: readonly number[] }
  /** `line`: in the file, from 1. */
  | { readonly ok: false; readonly line: number; readonly why: string; readonly head: ChainHead }

/** @param lines without their line feeds. A torn last line is accepted when the line after it says so, and named. */
export async function verifyAudit(lines: AsyncIterable<string> | Iterable<string>): Promise<AuditVerdict> {
  let head = CHAIN_START
  let number = 0
  /** A line that is none, which only the next one can excuse. */
  let doubtful: { readonly line: number; readonly text: string; readonly why: string } | undefined
  const torn: number[] = []
  for await (const line of lines) {
    number += 1
    const read = readLine(head, line)
    if (doubtful !== undefined) {
      if (!read.ok || !notesTorn(read.value, doubtful.text)) return { ok: false, line: doubtful.line, why: doubtful.why, head }
      torn.push(doubtful.line)
      doubtful = undefined
    }
    if (read.ok) head = read.head
    else doubtful = { line: number, text: line, why: read.why }
  }
  if (doubtful !== undefined) return { ok: false, line: doubtful.line, why: doubtful.why, head }
  return { ok: true, head, torn }
}
