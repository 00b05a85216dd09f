/** Looks at certificate and key before a transport takes them, so that a wrong one is a sentence for the operator and not a crash. */
import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import type { TlsFiles } from './transport-options.ts'

export interface TlsContent {
  readonly cert: Buffer
  readonly key: Buffer
}

/** @returns what is wrong, in words for the operator; undefined when both can be read and fit each other. */
export async function findTlsProblem(files: TlsFiles): Promise<string | undefined> {
  const loaded = await loadTlsFiles(files)
  return loaded.ok ? undefined : loaded.problem
}

export async function loadTlsFiles(
  files: TlsFiles,
): Promise<{ readonly ok: true; readonly content: TlsContent } | { readonly ok: false; readonly problem: string }> {
  const cert = await readOrExplain(files.certFile, 'certificate')
  if (typeof cert === 'string') return { ok: false, problem: cert }
  const key = await readOrExplain(files.keyFile, 'key')
  if (typeof key === 'string') return { ok: false, problem: key }
  try {
    createSecureContext({ cert, key })
    return { ok: true, content: { cert, key } }
  } catch (error) {
    return { ok: false, problem: `${files.certFile} and ${files.keyFile} are no PEM certificate with its key: ${toMessage(error)}` }
  }
}

async function readOrExplain(path: string, what: string): Promise<Buffer | string> {
  try {
    return await readFile(path)
  } catch (error) {
    return `The ${what} ${path} cannot be read: ${toMessage(error)}`
  }
}

function toMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
