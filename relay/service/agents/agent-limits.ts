/** What agents may take. Bytes are UTF-16 code units of the documents as JSON: near enough, and free to count. */

export interface AgentLimits {
  readonly agents: number
  readonly documentsPerAgent: number
  /** Of one document. */
  readonly documentBytes: number
  /** Of one agent's documents together, its own among them. */
  readonly agentBytes: number
  /** Documents that belong to no agent: contracts. */
  readonly looseDocuments: number
  /** Of all documents together. */
  readonly totalBytes: number
  readonly executionsPerAgent: number
  /** At most the requests that one peer may have waiting. */
  readonly executions: number
  /** How long an executor may take. */
  readonly executionMs: number
  /** What an execution may bring, as JSON. */
  readonly resultBytes: number
}

export const AGENT_LIMITS: AgentLimits = {
  agents: 1_000,
  documentsPerAgent: 256,
  documentBytes: 512 * 1024,
  agentBytes: 4 * 1024 * 1024,
  looseDocuments: 1_000,
  totalBytes: 64 * 1024 * 1024,
  executionsPerAgent: 4,
  executions: 32,
  executionMs: 60_000,
  resultBytes: 128 * 1024,
}
