/** Who the agents are and what is kept for them: documents that nobody here reads. Bounded per agent and in all; leaves rights and news to the service. */
import { fail, succeed, type Result } from '#shared/protocol/errors'
import type { Clock } from '../../ports.ts'
import type { AgentLimits } from './agent-limits.ts'

export interface AgentRecord {
  readonly agent: string
  readonly document: object
  /** The address that executes it, or `echo`. */
  readonly executor: string | undefined
  readonly isRunning: boolean
  /** The relay's clock, Unix milliseconds. */
  readonly createdAt: number
  readonly updatedAt: number
}

export interface StoredDocument {
  readonly kind: string
  /** Unique within its kind and agent. */
  readonly id: string
  readonly document: object
  readonly createdAt: number
  readonly updatedAt: number
}

export interface AgentStore {
  /** Adds the agent, or puts the document's fields over those it has. Fails with `agent.too_many`. */
  putAgent(
    agent: string,
    change: { readonly document: object; readonly executor?: string | undefined },
  ): Result<{ readonly record: AgentRecord; readonly isNew: boolean }>
  find(agent: string): AgentRecord | undefined
  setRunning(agent: string, isRunning: boolean): void
  setExecutor(agent: string, executor: string | undefined): void
  /** With its documents. */
  remove(agent: string): void
  /** @param agent undefined: it belongs to none. Adds, or puts its fields over. Fails with `agent.unknown` and `agent.too_many`. */
  putDocument(
    agent: string | undefined,
    change: Pick<StoredDocument, 'kind' | 'id' | 'document'>,
  ): Result<{ readonly stored: StoredDocument; readonly isNew: boolean }>
  documents(agent: string | undefined): readonly StoredDocument[]
  agents(): IterableIterator<AgentRecord>
  measure(): { readonly agents: number; readonly bytes: number }
}

/** What belongs together and is bounded together. */
interface Shelf {
  readonly documents: Map<string, StoredDocument>
  bytes: number
}

interface Entry extends Shelf {
  record: AgentRecord
}

export function createAgentStore({ clock, limits }: { readonly clock: Pick<Clock, 'now'>; readonly limits: AgentLimits }): AgentStore {
  const entries = new Map<string, Entry>()
  const loose: Shelf = { documents: new Map(), bytes: 0 }
  let totalBytes = 0

  /** Counts `after` in place of `before`, if it fits. */
  function account(shelf: Shelf, before: object | undefined, after: object): Result<void> {
    const size = sizeOf(after)
    const growth = size - (before === undefined ? 0 : sizeOf(before))
    if (size > limits.documentBytes) return tooMuch(`One document has at most ${String(limits.documentBytes)} characters.`)
    if (shelf !== loose && shelf.bytes + growth > limits.agentBytes)
      return tooMuch('The documents of this agent take as much room as they may.')
    if (totalBytes + growth > limits.totalBytes) return tooMuch('The documents of all agents take as much room as they may.')
    shelf.bytes += growth
    totalBytes += growth
    return succeed(undefined)
  }
  function putAgent(agent: string, { document, executor }: Parameters<AgentStore['putAgent']>[1]): ReturnType<AgentStore['putAgent']> {
    const known = entries.get(agent)
    if (known === undefined && entries.size >= limits.agents) return tooMuch(`At most ${String(limits.agents)} agents are kept.`)
    const entry: Shelf = known ?? { documents: new Map(), bytes: 0 }
    const merged = { ...known?.record.document, ...document }
    const accounted = account(entry, known?.record.document, merged)
    if (!accounted.ok) return accounted
    const now = clock.now()
    const record: AgentRecord = {
      agent,
      document: merged,
      executor: executor ?? known?.record.executor,
      isRunning: known?.record.isRunning ?? false,
      createdAt: known?.record.createdAt ?? now,
      updatedAt: now,
    }
    if (known === undefined) entries.set(agent, Object.assign(entry, { record }))
    else known.record = record
    return succeed({ record, isNew: known === undefined })
  }
  function change(agent: string, fields: Partial<AgentRecord>): void {
    const entry = entries.get(agent)
    if (entry !== undefined) entry.record = { ...entry.record, ...fields, updatedAt: clock.now() }
  }
  function putDocument(
    agent: string | undefined,
    { kind, id, document }: Parameters<AgentStore['putDocument']>[1],
  ): ReturnType<AgentStore['putDocument']> {
    const shelf = agent === undefined ? loose : entries.get(agent)
    if (shelf === undefined) return fail('agent.unknown', `Agent ${agent ?? ''} not found`)
    const key = JSON.stringify([kind, id])
    const known = shelf.documents.get(key)
    const most = shelf === loose ? limits.looseDocuments : limits.documentsPerAgent
    if (known === undefined && shelf.documents.size >= most) return tooMuch(`At most ${String(most)} documents are kept here.`)
    const merged = { ...known?.document, ...document }
    const accounted = account(shelf, known?.document, merged)
    if (!accounted.ok) return accounted
    const now = clock.now()
    const stored = { kind, id, document: merged, createdAt: known?.createdAt ?? now, updatedAt: now }
    shelf.documents.set(key, stored)
    return succeed({ stored, isNew: known === undefined })
  }
  return {
    putAgent,
    putDocument,
    find: (agent) => entries.get(agent)?.record,
    setRunning: (agent, isRunning) => change(agent, { isRunning }),
    setExecutor: (agent, executor) => change(agent, { executor }),
    remove(agent) {
      totalBytes -= entries.get(agent)?.bytes ?? 0
      entries.delete(agent)
    },
    documents: (agent) => [...((agent === undefined ? loose : entries.get(agent))?.documents.values() ?? [])],
    *agents() {
      for (const { record } of entries.values()) yield record
    },
    measure: () => ({ agents: entries.size, bytes: totalBytes }),
  }
}

function sizeOf(document: object): number {
  return JSON.stringify(document).length
}

function tooMuch(message: string): Result<never> {
  return fail('agent.too_many', message)
}
