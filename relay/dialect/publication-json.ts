/** A publication's members as JSON text, for every dialect that speaks JSON: the payload is text already and is not read again. */
import type { Publication } from '../ports.ts'

/** Without the braces, so that a dialect may add members of its own. Topics and epochs hold nothing that JSON would escape. */
export function writePublicationMembers({ topic, epoch, seq, time, json }: Publication, isRetained: boolean): string {
  const retained = isRetained ? '"isRetained":true,' : ''
  return `"topic":"${topic}","epoch":"${epoch}","seq":${String(seq)},"time":${String(time)},${retained}"data":${json}`
}
