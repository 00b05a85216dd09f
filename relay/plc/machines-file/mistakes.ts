/** Collects what is wrong with a file, so that its writer hears of everything at once. */
import { isRecord } from '#shared/protocol/record'

export interface Mistakes {
  add(place: string, expected: string): void
  /** One that begins with its place. */
  addSentence(sentence: string): void
  count(): number
  sentences(): readonly string[]
  /** @param known names of fields; undefined: any. Unknown ones are mistakes. */
  object(value: unknown, place: string, known: readonly string[] | undefined): Readonly<Record<string, unknown>> | undefined
  text(value: unknown, place: string, maxLength: number): string | undefined
  whole(value: unknown, place: string, range: { readonly min: number; readonly max: number }): number | undefined
  list(value: unknown, place: string, maxItems: number): readonly unknown[] | undefined
}

const MAX_MISTAKES = 100
const MAX_NAME = 40

export function createMistakes(): Mistakes {
  const sentences: string[] = []
  let left = 0

  function addSentence(sentence: string): void {
    if (sentences.length < MAX_MISTAKES) sentences.push(sentence)
    else left += 1
  }
  function add(place: string, expected: string): void {
    addSentence(`${place}: ${expected}.`)
  }
  return {
    add,
    addSentence,
    count: () => sentences.length + left,
    sentences: () => (left === 0 ? sentences : [...sentences, `… and ${String(left)} more.`]),
    list(value, place, maxItems) {
      if (isList(value) && value.length <= maxItems) return value
      add(place, `expected a list of at most ${String(maxItems)}`)
      return undefined
    },
    object(value, place, known) {
      if (!isRecord(value)) {
        add(place, 'expected an object')
        return undefined
      }
      const unknown = known === undefined ? [] : Object.keys(value).filter((name) => !known.includes(name))
      for (const name of unknown) add(place, `has no field ${JSON.stringify(name.slice(0, MAX_NAME))}; it has ${(known ?? []).join(', ')}`)
      return value
    },
    text(value, place, maxLength) {
      if (typeof value === 'string' && value.trim() !== '' && value.length <= maxLength) return value
      add(place, `expected a text of 1 to ${String(maxLength)} characters`)
      return undefined
    },
    whole(value, place, { min, max }) {
      if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
      add(place, `expected a whole number from ${String(min)} to ${String(max)}`)
      return undefined
    },
  }
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value)
}
