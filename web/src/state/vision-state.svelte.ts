/** Whether faces can be read, as the person needs to know it. Starting, feeding and restarting the worker is the client's own. */
import type { VisionInfo } from '../vision/vision-api.ts'
import type { VisionErrorCode } from '../vision/vision-error.ts'
import type { VisionClient } from '../vision/vision-client.ts'

export type VisionStatus =
  | { readonly kind: 'closed' }
  | { readonly kind: 'loading' }
  | { readonly kind: 'ready'; readonly info: VisionInfo }
  | { readonly kind: 'restarting' }
  | { readonly kind: 'failed'; readonly code: VisionErrorCode; readonly detail: string }

export class VisionState {
  readonly #client: VisionClient
  #status = $state.raw<VisionStatus>({ kind: 'closed' })

  constructor(client: VisionClient) {
    this.#client = client
  }

  get status(): VisionStatus {
    return this.#status
  }

  /** Follows the client until the returned function is called. */
  start(): () => void {
    const update = (): void => {
      this.#status = toStatus(this.#client.state)
    }
    update()
    return this.#client.onStateChange(update)
  }

  /** Loads what is needed; harmless when done or under way. */
  open(): void {
    this.#client.open()
  }
}

export function createVisionState(client: VisionClient): VisionState {
  return new VisionState(client)
}

function toStatus(state: VisionClient['state']): VisionStatus {
  switch (state.kind) {
    case 'closed':
    case 'loading':
      return { kind: state.kind }
    case 'ready':
      return { kind: 'ready', info: state.info }
    case 'restarting':
      return { kind: 'restarting' }
    case 'failed':
      return { kind: 'failed', code: state.error.code, detail: state.error.detail }
  }
}
