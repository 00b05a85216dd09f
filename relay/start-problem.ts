/** Why the relay could not start: what is expected to happen, said by main.ts in one sentence each. */
export type StartProblem =
  | 'page_missing'
  | 'page_too_large'
  | 'transport_missing'
  | 'busy'
  | 'denied'
  | 'unavailable'
  /** `details`: why, in the words of what was asked. */
  | 'tls_unreadable'
  | 'storage_unopenable'
  | 'keys_unreadable'
  | 'model_wrong'
  /** `details`: each mistake in the policy file. */
  | 'policy_wrong'
