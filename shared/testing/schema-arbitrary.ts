/** Random values that fit a schema of the catalog, for property tests. Knows the keywords the catalog uses and refuses others. */
import fc from 'fast-check'
import {
  IsArray,
  IsBoolean,
  IsEnum,
  IsInteger,
  IsLiteral,
  IsNumber,
  IsObject,
  IsOptional,
  IsString,
  IsUnknown,
  type TObject,
  type TSchema,
} from 'typebox'

/** Text that may stand where a pattern is: letters, digits, `.`, `_`, `-`, of several scripts. */
const LEVEL_CHARACTERS = Array.from('abzAZ09._-éßЖ漢ش٣')

/** Any JSON that survives: no `__proto__`, no -0 (JSON has none), nesting well within the limit. */
export const plainJson: fc.Arbitrary<unknown> = fc
  .jsonValue({ maxDepth: 4 })
  .map((value): unknown => JSON.parse(JSON.stringify(value).replaceAll('__proto__', 'proto')))

export function toArbitrary(schema: TSchema): fc.Arbitrary<unknown> {
  if (IsObject(schema)) return toObjectArbitrary(schema)
  if (IsEnum(schema)) return fc.constantFrom(...schema.enum)
  if (IsLiteral(schema)) return fc.constant(schema.const)
  if (IsArray(schema)) return fc.array(toArbitrary(schema.items), toSize(schema, 'Items', 8))
  if (IsString(schema)) return toStringArbitrary(schema)
  if (IsInteger(schema)) return fc.integer(toRange(schema, Number.MAX_SAFE_INTEGER))
  if (IsNumber(schema)) return fc.double({ ...toRange(schema, 1e6), noNaN: true }).map((value) => value + 0)
  if (IsBoolean(schema)) return fc.boolean()
  if (IsUnknown(schema)) return plainJson
  throw new Error(`no arbitrary for the schema ${JSON.stringify(schema)}`)
}

function readNumber(schema: TSchema, keyword: string, fallback: number): number {
  const value: unknown = Reflect.get(schema, keyword)
  return typeof value === 'number' ? value : fallback
}

function toSize(schema: TSchema, unit: 'Items' | 'Length', most: number): { minLength: number; maxLength: number } {
  return { minLength: readNumber(schema, `min${unit}`, 0), maxLength: Math.min(readNumber(schema, `max${unit}`, most), most) }
}

function toRange(schema: TSchema, widest: number): { min: number; max: number } {
  return { min: readNumber(schema, 'minimum', -widest), max: readNumber(schema, 'maximum', widest) }
}

/** JSON Schema counts code points, as fast-check's unit `binary` does. */
function toStringArbitrary(schema: TSchema): fc.Arbitrary<string> {
  const size = toSize(schema, 'Length', 24)
  const pattern: unknown = Reflect.get(schema, 'pattern')
  if (typeof pattern !== 'string') return fc.string({ ...size, unit: 'binary' })
  // Some take fewer characters than a level.
  const allowed = LEVEL_CHARACTERS.filter((character) => new RegExp(pattern, 'u').test(character))
  return fc.array(fc.constantFrom(...(allowed.length === 0 ? LEVEL_CHARACTERS : allowed)), size).map((characters) => characters.join(''))
}

function toObjectArbitrary(schema: TObject): fc.Arbitrary<unknown> {
  const members = Object.entries(schema.properties)
  const optional = members.filter(([, member]) => IsOptional(member)).map(([name]) => name)
  const required = members.map(([name]) => name).filter((name) => !optional.includes(name))
  return fc.record(Object.fromEntries(members.map(([name, member]) => [name, toArbitrary(member)])), { requiredKeys: required })
}
