/** Publications as the event `message`, each encoded once for all connections that get it in the same framing. */
import type { Publication } from '../../ports.ts'
import { writePublicationMembers } from '../publication-json.ts'

export interface PublicationFrames {
  encode(publication: Publication, isRetained: boolean): Uint8Array
}

/** @param before what stands before the payload's JSON. @param after what stands behind it. */
export function createPublicationFrames(before: string, after: string): PublicationFrames {
  const encoder = new TextEncoder()
  let last: { readonly publication: Publication; readonly frame: Uint8Array } | undefined
  function write(publication: Publication, isRetained: boolean): Uint8Array {
    return encoder.encode(`${before}{${writePublicationMembers(publication, isRetained)}}${after}`)
  }
  return {
    encode(publication, isRetained) {
      if (isRetained) return write(publication, true)
      if (last?.publication !== publication) last = { publication, frame: write(publication, false) }
      return last.frame
    },
  }
}
