/** What the operator configured for tokens of others, made into keys. */
import type { Clock, Log } from '../ports.ts'
import { createJwkSetKeys } from './jwk-set-keys.ts'
import { createFileSource, createUrlSource } from './jwk-set-source.ts'
import { createPublicKeys, createSecretKeys, type JwtAlgorithm, type JwtKeysResult } from './jwt-keys.ts'

export type JwtKeySource =
  | { readonly kind: 'secret'; readonly secret: string }
  /** The PEM text itself. */
  | { readonly kind: 'publicKey'; readonly pem: string }
  /** http or https. Fetched when the first token comes, so that an issuer that is down keeps no relay from starting. */
  | { readonly kind: 'jwksUrl'; readonly url: string }
  /** Read at once, and again when a token names a key that is not in it. */
  | { readonly kind: 'jwksFile'; readonly path: string }

interface Options {
  /** What tokens may be signed with. Left out: what the keys are good for. */
  readonly algorithms?: readonly JwtAlgorithm[]
  readonly clock: Clock
  readonly log: Log
}

/** Fails with a sentence for the operator, that does not repeat the secret. */
export async function openJwtKeys(source: JwtKeySource, options: Options): Promise<JwtKeysResult> {
  const opened = await open(source, options)
  if (!opened.ok || options.algorithms === undefined) return opened
  const { algorithms } = options
  const pinned = opened.keys.algorithms.filter((algorithm) => algorithms.includes(algorithm))
  if (pinned.length > 0) return { ok: true, keys: { ...opened.keys, algorithms: pinned } }
  return { ok: false, problem: `The key is for ${opened.keys.algorithms.join(' or ')}, not for ${algorithms.join(' or ')}.` }
}

async function open(source: JwtKeySource, { algorithms, clock, log }: Options): Promise<JwtKeysResult> {
  const publicAlgorithms = PUBLIC_ALGORITHMS.filter((algorithm) => algorithms === undefined || algorithms.includes(algorithm))
  const setOptions = { algorithms: publicAlgorithms.length === 0 ? PUBLIC_ALGORITHMS : publicAlgorithms, clock, log }
  switch (source.kind) {
    case 'secret':
      return createSecretKeys(source.secret)
    case 'publicKey':
      return createPublicKeys(source.pem)
    case 'jwksUrl': {
      const url = parseHttpUrl(source.url)
      if (url === undefined) return { ok: false, problem: 'The address of the set of keys must begin with https:// or http://.' }
      return { ok: true, keys: createJwkSetKeys({ ...setOptions, source: createUrlSource(url, clock) }) }
    }
    case 'jwksFile': {
      const keys = createJwkSetKeys({ ...setOptions, source: createFileSource(source.path) })
      const problem = await keys.read()
      return problem === undefined ? { ok: true, keys } : { ok: false, problem }
    }
  }
}

/** A set of keys is public: a secret has no place in it. */
const PUBLIC_ALGORITHMS = ['RS256', 'ES256'] as const

function parseHttpUrl(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  return url.protocol === 'https:' || url.protocol === 'http:' ? url : undefined
}
