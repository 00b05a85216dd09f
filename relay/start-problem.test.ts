import { expect, it } from 'vitest'
import { parseConfig } from './config.ts'
import { explainProblem, type StartProblem } from './start-problem.ts'

const ENVIRONMENT = {
  STORAGE_FILE: '/var/h.db',
  POLICY_FILE: '/etc/policy.json',
  TLS_CERT: '/etc/cert.pem',
  TLS_KEY: '/etc/key.pem',
  JWKS: '/etc/keys.json',
  JWT_ALGORITHM: 'ES256',
}

function explain(problem: StartProblem, details: readonly string[] = []): string {
  const parsed = parseConfig(ENVIRONMENT)
  if (!parsed.ok) throw new Error(parsed.mistakes.join('\n'))
  return explainProblem(problem, details, parsed.config)
}

it.each<[StartProblem, readonly string[]]>([
  ['page_missing', ['dist', 'npm run build']],
  ['page_too_large', ['dist', 'STATIC_DIR']],
  ['transport_missing', ['RELAY_TRANSPORT']],
  ['busy', ['Port 8080', 'PORT=']],
  ['denied', ['port 8080', '1024']],
  ['unavailable', ['127.0.0.1', 'HOST']],
  ['tls_unreadable', ['TLS_CERT', '/etc/cert.pem', 'TLS_KEY', '/etc/key.pem', 'why.']],
  ['storage_unopenable', ['STORAGE_FILE', '/var/h.db', 'why.']],
  ['keys_unreadable', ['JWKS', 'why.']],
  ['model_wrong', ['EMOTION_MODEL', 'why.']],
  ['policy_wrong', ['POLICY_FILE', '/etc/policy.json', '\n- why.']],
])('[SP1] %s: says which setting it is about and why', (problem, parts) => {
  for (const part of parts) expect(explain(problem, ['why.'])).toContain(part)
  expect(explain(problem)).toMatch(/[.:]$/)
})

it('[SP2] lists every mistake of the policy file', () => {
  expect(explain('policy_wrong', ['One.', 'Two.'])).toBe('The policy file /etc/policy.json (POLICY_FILE) has mistakes:\n- One.\n- Two.')
})
