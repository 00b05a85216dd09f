/**
 * The kinds of settings: how each reads the text of an environment variable or the JSON of a file, and how it says what it expects. No kind
 * repeats what came. Leaves which settings there are to settings.ts, and who wins to config.ts.
 */

/** What was wrong, each as the end of a sentence that begins with the setting's name: `must be a whole number from 0 to 65535`. */
export type Parsed<Value> = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly wrongs: readonly string[] }

/** What a kind must know of the world outside. */
export interface ParseContext {
  /** Where a path that an operator wrote leads. */
  readonly resolvePath: (path: string) => string
}

/** What a person has to know of a setting, whatever its kind. */
interface Words<Group extends string> {
  /** As an environment variable and in the file. */
  readonly name: string
  readonly group: Group
  /** One sentence. */
  readonly doc: string
}

export interface Setting<Value, Group extends string = string> extends Words<Group> {
  /** For people: `a whole number from 0 to 65535`. */
  readonly expected: string
  readonly toDefault: (context: ParseContext) => Value
  /** The default as an operator would write it; empty for none. */
  readonly defaultText: string
  readonly isSecret: boolean
  /** Empty text means something else than the default. */
  readonly takesEmpty: boolean
  /** @param value text, or what stands in the JSON file. */
  readonly parse: (value: unknown, context: ParseContext) => Parsed<Value>
}

/** @param unit plural: `bytes`, `seconds`. */
export function integer<Group extends string>(
  words: Words<Group> & { readonly fallback: number; readonly min: number; readonly max: number; readonly unit?: string },
): Setting<number, Group> {
  const { min, max, unit } = words
  const expected = `a whole number${unit === undefined ? '' : ` of ${unit}`} from ${String(min)} to ${String(max)}`
  return toSetting(words, {
    expected,
    toDefault: () => words.fallback,
    defaultText: String(words.fallback),
    parse(value) {
      const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value
      return typeof number === 'number' && Number.isInteger(number) && number >= min && number <= max ? right(number) : wrong(expected)
    },
  })
}

/** @param isText all texts when left out. */
export function text<Group extends string>(
  words: Words<Group> & { readonly fallback: string; readonly expected: string; readonly isText?: (text: string) => boolean },
): Setting<string, Group> {
  const { expected, fallback, isText = () => true } = words
  return toSetting(words, {
    expected,
    toDefault: () => fallback,
    defaultText: fallback,
    parse: (value) => (typeof value === 'string' && isText(value) ? right(value) : wrong(expected)),
  })
}

export function choice<Group extends string, const Choice extends string>(
  words: Words<Group> & { readonly fallback: NoInfer<Choice>; readonly choices: readonly Choice[] },
): Setting<Choice, Group> {
  const { choices, fallback } = words
  const expected = `one of ${choices.join(', ')}`
  return toSetting(words, {
    expected,
    toDefault: () => fallback,
    defaultText: fallback,
    parse(value) {
      const found = choices.find((candidate) => candidate === value)
      return found === undefined ? wrong(expected) : right(found)
    },
  })
}

/** Separated by commas, or a JSON list of texts; empty is an empty list. */
export function list<Group extends string, Item extends string>(
  words: Words<Group> & {
    readonly fallback: readonly NoInfer<Item>[]
    /** Plural: `roles out of viewer, station`. */
    readonly items: string
    readonly isItem: (text: string) => text is Item
  },
): Setting<readonly Item[], Group> {
  const { fallback, items, isItem } = words
  const expected = `a list, separated by commas, of ${items}`
  return toSetting(words, {
    expected,
    toDefault: () => fallback,
    defaultText: fallback.join(','),
    takesEmpty: true,
    parse(value) {
      const parts: readonly unknown[] | undefined = typeof value === 'string' ? splitList(value) : Array.isArray(value) ? value : undefined
      if (parts === undefined) return wrong(expected)
      const isWrong = (part: unknown): boolean => typeof part !== 'string' || !isItem(part)
      const first = parts.findIndex(isWrong)
      if (first !== -1) return wrong(`${expected}; item ${String(first + 1)} is none`)
      return right(parts.filter((part): part is Item => !isWrong(part)))
    },
  })
}

/** A file or folder; relative ones are taken from the project's folder. Empty: none. Whether it can be read is found when it is. */
export function path<Group extends string>(
  words: Words<Group> & {
    readonly fallback: string
    readonly expected: string
    /** Says what is to be left as it is, such as a URL; nothing when left out. */
    readonly isOther?: (text: string) => boolean
  },
): Setting<string, Group> {
  const { expected, fallback, isOther = () => false } = words
  const resolve = (value: string, { resolvePath }: ParseContext): string => (value === '' || isOther(value) ? value : resolvePath(value))
  return toSetting(words, {
    expected,
    toDefault: (context) => resolve(fallback, context),
    defaultText: fallback,
    parse: (value, context) => (typeof value === 'string' && !value.includes('\0') ? right(resolve(value, context)) : wrong(expected)),
  })
}

/** Never shown. There is no default. */
export function secret<Group extends string>(
  words: Words<Group> & { readonly expected: string; readonly isText: (text: string) => boolean },
): Setting<string | undefined, Group> {
  const { expected, isText } = words
  return toSetting<string | undefined, Group>(words, {
    expected,
    toDefault: () => undefined,
    defaultText: '',
    isSecret: true,
    parse: (value) => (typeof value === 'string' && isText(value) ? right(value) : wrong(expected)),
  })
}

/** Any JSON; in the environment as text. */
export function json<Group extends string, Value>(
  words: Words<Group> & { readonly fallback: Value; readonly expected: string; readonly parse: (value: unknown) => Parsed<Value> },
): Setting<Value, Group> {
  return toSetting(words, {
    expected: words.expected,
    toDefault: () => words.fallback,
    defaultText: '',
    parse(value) {
      if (typeof value !== 'string') return words.parse(value)
      const parsed = parseJsonText(value)
      return parsed.ok ? words.parse(parsed.value) : parsed
    },
  })
}

/** @returns the value, or where the text stops being JSON. Node's own words would repeat the text. */
export function parseJsonText(source: string): Parsed<unknown> {
  try {
    const value: unknown = JSON.parse(source)
    return right(value)
  } catch (error) {
    const at = error instanceof SyntaxError ? /at position (\d+)/.exec(error.message)?.[1] : undefined
    return wrong(at === undefined ? 'JSON' : `JSON; it is not from line ${String(source.slice(0, Number(at)).split('\n').length)} on`)
  }
}

export function right<Value>(value: Value): Parsed<Value> {
  return { ok: true, value }
}

export function wrong(expected: string): { readonly ok: false; readonly wrongs: readonly string[] } {
  return { ok: false, wrongs: [`must be ${expected}`] }
}

type Behaviour<Value> = Pick<Setting<Value>, 'expected' | 'toDefault' | 'defaultText' | 'parse'> &
  Partial<Pick<Setting<Value>, 'isSecret' | 'takesEmpty'>>

function toSetting<Value, Group extends string>({ name, group, doc }: Words<Group>, behaviour: Behaviour<Value>): Setting<Value, Group> {
  return { name, group, doc, isSecret: false, takesEmpty: false, ...behaviour }
}

function splitList(source: string): readonly string[] {
  return source
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}
