/** Why the relay could not start, as far as that is to be expected, and the sentence each of them is to an operator. */
import type { Config } from './config.ts'

export type StartProblem =
  | 'page_missing'
  | 'page_too_large'
  | 'transport_missing'
  | 'busy'
  | 'denied'
  | 'unavailable'
  /** `details`: why, in the words of what was asked. */
  | 'tls_unreadable'
  | 'compat_port_unusable'
  | 'storage_unopenable'
  | 'broker_missing'
  | 'keys_unreadable'
  | 'model_wrong'
  /** `details`: each mistake in the policy file. */
  | 'policy_wrong'
  /** `details`: each mistake in the machines file. */
  | 'machines_wrong'
  | 'audit_unopenable'

/** @param details in the words of whoever failed; never a secret. @returns what is wrong and what to do. */
export function explainProblem(problem: StartProblem, details: readonly string[], config: Config): string {
  const { host, port, staticDir, storageFile, policyFile } = config
  const why = details.join(' ')
  switch (problem) {
    case 'page_missing':
      return `There is no built page in ${staticDir}: run "npm run build", or "npm start", which builds first.`
    case 'page_too_large':
      return `${staticDir} holds far more than the built page: set STATIC_DIR to the folder that "npm run build" writes.`
    case 'transport_missing':
      return 'RELAY_TRANSPORT=uws was asked for, but uWebSockets.js has no binary for this system: leave it out to use ws.'
    case 'busy':
      return `Port ${String(port)} is in use by another program: stop it, or choose another one with PORT=8081.`
    case 'denied':
      return `This user may not listen on port ${String(port)}: choose one from 1024 up, for example PORT=8080.`
    case 'unavailable':
      return `This machine has no address ${host}: set HOST to one of its own, or leave it out.`
    case 'tls_unreadable':
      return join(`The certificate (TLS_CERT, ${config.tlsCert}) or its key (TLS_KEY, ${config.tlsKey}) cannot be used`, why)
    case 'compat_port_unusable':
      return `${join('A port of COMPAT_PORTS cannot be opened', why)}${why === '' ? '' : '.'}`
    case 'storage_unopenable':
      return join(`The history file ${storageFile} (STORAGE_FILE) cannot be opened`, why)
    case 'broker_missing':
      return 'NATS_URL is set, but the NATS client is not installed: run "npm install @nats-io/transport-node@~3.3.1", or leave NATS_URL out.'
    case 'keys_unreadable':
      return join(`The keys for tokens (${config.jwks === '' ? 'JWT_PUBLIC_KEY_FILE' : 'JWKS'}) cannot be used`, why)
    case 'model_wrong':
      return join('The network that EMOTION_MODEL names cannot be used', why)
    case 'policy_wrong':
      return [`The policy file ${policyFile} (POLICY_FILE) has mistakes:`, ...details].join('\n- ')
    case 'machines_wrong':
      return [`The machines file ${config.machinesFile} (MACHINES_FILE) has mistakes:`, ...details].join('\n- ')
    case 'audit_unopenable':
      return join(`The audit log ${config.auditFile} (AUDIT_FILE) cannot be opened`, why)
  }
}

function join(sentence: string, why: string): string {
  return why === '' ? `${sentence}.` : `${sentence}: ${why}`
}
