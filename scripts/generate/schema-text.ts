/** A schema of the catalog in words and as table rows. Reads the keywords the catalog uses; which schemas there are is decided elsewhere. */
import type { TSchema } from 'typebox'

/** One field, however deep: `faces[].box.x`. */
export interface FieldRow {
  readonly path: string
  readonly type: string
  readonly isRequired: boolean
  readonly description: string
}

type Json = Readonly<Record<string, unknown>>

/** The schema as plain JSON Schema (2020-12), without typebox's own marks. */
export function toJsonSchema(schema: TSchema): Json {
  const json: unknown = JSON.parse(JSON.stringify(schema))
  return toRecord(json)
}

/** Every field of an object schema, depth first, in the schema's order. */
export function listFields(schema: TSchema): readonly FieldRow[] {
  return listMembers(toJsonSchema(schema), '')
}

function listMembers(schema: Json, prefix: string): readonly FieldRow[] {
  const required = Array.isArray(schema.required) ? schema.required : []
  return Object.entries(toRecord(schema.properties)).flatMap(([name, member]) => {
    const field = toRecord(member)
    const path = `${prefix}${name}`
    const description = typeof field.description === 'string' ? field.description : ''
    const row: FieldRow = { path, type: describeType(field), isRequired: required.includes(name), description }
    return [row, ...listNested(field, path)]
  })
}

function listNested(field: Json, path: string): readonly FieldRow[] {
  if (field.type === 'object') return listMembers(field, `${path}.`)
  const items = toRecord(field.items)
  return field.type === 'array' && items.type === 'object' ? listMembers(items, `${path}[].`) : []
}

/** `text, 1 to 64 characters`, `whole number from 0`, `"up" or "down"`. */
function describeType(schema: Json): string {
  if (schema.const !== undefined) return toCode(schema.const)
  if (Array.isArray(schema.enum)) return schema.enum.length > 12 ? 'one of the [codes](errors.md)' : schema.enum.map(toCode).join(' or ')
  switch (schema.type) {
    case 'string':
      return `text${describeRange(schema.minLength, schema.maxLength, ' characters')}`
    case 'integer':
      return `whole number${describeRange(schema.minimum, schema.maximum, '')}`
    case 'number':
      return `number${describeRange(schema.minimum, schema.maximum, '')}`
    case 'boolean':
      return 'true or false'
    case 'array':
      return `list of ${describeType(toRecord(schema.items))}${describeRange(schema.minItems, schema.maxItems, ' items')}`
    case 'object':
      return 'object'
    default:
      return 'any JSON'
  }
}

function describeRange(least: unknown, most: unknown, unit: string): string {
  const [from, to] = [toNumberText(least), toNumberText(most)]
  if (from === undefined) return to === undefined ? '' : `, up to ${to}${unit}`
  return to === undefined ? `, at least ${from}${unit}` : `, ${from} to ${to}${unit}`
}

function toNumberText(value: unknown): string | undefined {
  return typeof value === 'number' ? String(value) : undefined
}

function toCode(value: unknown): string {
  return `\`${JSON.stringify(value)}\``
}

function toRecord(value: unknown): Json {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {}
}
