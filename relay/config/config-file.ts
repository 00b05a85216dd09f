/** The file that CONFIG_FILE names: one JSON object whose members are settings. Which of them are right is decided elsewhere. */
import { parseJsonText } from './setting-kinds.ts'

/** @returns the members, or how the file is wrong, as the end of a sentence that begins with CONFIG_FILE. */
export function readConfigFile(
  source: string | undefined,
): { readonly ok: true; readonly members: ReadonlyMap<string, unknown> } | { readonly ok: false; readonly wrong: string } {
  if (source === undefined) return { ok: false, wrong: 'cannot be read' }
  const parsed = parseJsonText(source.replace(/^\uFEFF/, ''))
  if (!parsed.ok) return { ok: false, wrong: parsed.wrongs.join() }
  const { value } = parsed
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { ok: false, wrong: 'must hold one JSON object with settings by name, like {"PORT": 8080}' }
  }
  return { ok: true, members: new Map(Object.entries(value)) }
}

/** @returns the known name that was probably meant, if one is near. */
export function findNearestName(name: string, known: readonly string[]): string | undefined {
  const upper = toSnakeCase(name)
  const byDistance = known.map((candidate) => ({ candidate, distance: editDistance(upper, candidate) }))
  const nearest = byDistance.reduce((best, next) => (next.distance < best.distance ? next : best), { candidate: '', distance: Infinity })
  return nearest.distance <= Math.max(2, nearest.candidate.length / 3) ? nearest.candidate : undefined
}

/** `maxConnections` and `max-connections` as well as `MAX_CONNECTIONS`. Names are cut where none of ours is that long. */
function toSnakeCase(name: string): string {
  return name
    .slice(0, 64)
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll('-', '_')
    .toUpperCase()
}

/** Levenshtein's: letters to insert, delete or replace. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (const [index, letter] of Array.from(from).entries()) {
    const next = [index + 1]
    for (const [column, other] of Array.from(to).entries()) {
      const replaced = (row[column] ?? 0) + (letter === other ? 0 : 1)
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
