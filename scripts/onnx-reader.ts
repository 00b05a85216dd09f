/**
 * Reads an ONNX model file as far as one needs to know what it computes: nodes, the sizes of constants, inputs and outputs. Weights are
 * not decoded. Field numbers are those of onnx.proto; see `onnx-writer.ts` for the other direction.
 */

export interface ReadNode {
  readonly op: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** Whole numbers only. */
  readonly attributes: ReadonlyMap<string, number>
  /** Lengths of the tensor in the attribute `value`, as `Constant` has it. */
  readonly constantDims: readonly number[] | null
}

export interface ReadModel {
  readonly nodes: readonly ReadNode[]
  /** Lengths by name. */
  readonly initializers: ReadonlyMap<string, readonly number[]>
  /** Without those that are initializers. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
}

interface Field {
  readonly number: number
  /** For wire type 0. */
  readonly value: bigint
  /** For wire type 2; empty otherwise. */
  readonly bytes: Uint8Array
}

/** @throws when the bytes are not protobuf or hold no graph. */
export function decodeOnnxModel(bytes: Uint8Array): ReadModel {
  const graph = readFields(bytes).find((field) => field.number === 7)
  if (graph === undefined) throw new Error('not an ONNX model: it has no graph')
  const fields = readFields(graph.bytes)
  const of = (number: number): readonly Uint8Array[] => fields.filter((field) => field.number === number).map((field) => field.bytes)
  const initializers = new Map(of(5).map((tensor) => [nameIn(tensor, 8), dimsIn(tensor)] as const))
  return {
    nodes: of(1).map(decodeNode),
    initializers,
    inputs: of(11)
      .map((value) => nameIn(value, 1))
      .filter((name) => !initializers.has(name)),
    outputs: of(12).map((value) => nameIn(value, 1)),
  }
}

function decodeNode(bytes: Uint8Array): ReadNode {
  const fields = readFields(bytes)
  const texts = (number: number): readonly string[] => fields.filter((field) => field.number === number).map((field) => toText(field.bytes))
  const attributes = new Map<string, number>()
  let constantDims: readonly number[] | null = null
  for (const attribute of fields.filter((field) => field.number === 5)) {
    const parts = readFields(attribute.bytes)
    const name = nameIn(attribute.bytes, 1)
    const whole = parts.find((part) => part.number === 3)
    if (whole !== undefined) attributes.set(name, Number(BigInt.asIntN(64, whole.value)))
    const tensor = parts.find((part) => part.number === 5)
    if (name === 'value' && tensor !== undefined) constantDims = dimsIn(tensor.bytes)
  }
  return { op: texts(4)[0] ?? '', inputs: texts(1), outputs: texts(2), attributes, constantDims }
}

function nameIn(bytes: Uint8Array, number: number): string {
  return toText(readFields(bytes).find((field) => field.number === number)?.bytes ?? new Uint8Array())
}

/** Field 1 of a tensor, once for each length or packed. */
function dimsIn(tensor: Uint8Array): readonly number[] {
  return readFields(tensor)
    .filter((field) => field.number === 1)
    .flatMap((field) => (field.bytes.length > 0 ? readPacked(field.bytes) : [Number(field.value)]))
}

function readPacked(bytes: Uint8Array): readonly number[] {
  const numbers: number[] = []
  for (let position = 0; position < bytes.length;) {
    const { value, next } = readVarint(bytes, position)
    numbers.push(Number(value))
    position = next
  }
  return numbers
}

function readFields(bytes: Uint8Array): readonly Field[] {
  const fields: Field[] = []
  for (let position = 0; position < bytes.length;) {
    const key = readVarint(bytes, position)
    const number = Number(key.value >> 3n)
    const empty = { number, value: 0n, bytes: new Uint8Array() }
    switch (Number(key.value & 7n)) {
      case 0: {
        const { value, next } = readVarint(bytes, key.next)
        fields.push({ ...empty, value })
        position = next
        break
      }
      case 1:
        position = key.next + 8
        break
      case 2: {
        const { value, next } = readVarint(bytes, key.next)
        const end = next + Number(value)
        if (end > bytes.length) throw new Error('not an ONNX model: a field is longer than the file')
        fields.push({ ...empty, bytes: bytes.subarray(next, end) })
        position = end
        break
      }
      case 5:
        position = key.next + 4
        break
      default:
        throw new Error('not an ONNX model: a field has an unknown type')
    }
  }
  return fields
}

function readVarint(bytes: Uint8Array, start: number): { readonly value: bigint; readonly next: number } {
  let value = 0n
  for (let index = 0; index < 10; index += 1) {
    const byte = bytes[start + index]
    if (byte === undefined) break
    value |= BigInt(byte & 0x7f) << BigInt(7 * index)
    if (byte < 0x80) return { value, next: start + index + 1 }
  }
  throw new Error('not an ONNX model: a number does not end')
}

function toText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}
