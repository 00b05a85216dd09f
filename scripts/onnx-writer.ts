/**
 * Writes an ONNX model file: as much of protobuf's wire format and of onnx.proto3 as a feed-forward network needs. Field numbers are
 * those of onnx.proto (IR version 8). Whether the graph makes sense is left to the runtime that loads it.
 */

export interface OnnxNode {
  readonly op: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** Whole numbers and lists of them; nothing else occurs. */
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>
}

export interface OnnxInitializer {
  readonly name: string
  readonly kind: 'float16' | 'int64'
  readonly dims: readonly number[]
  readonly values: ArrayLike<number>
}

/** A float32 tensor at the border of the graph; a text names a length that is known only at run time. */
export interface OnnxValue {
  readonly name: string
  readonly dims: readonly (number | string)[]
}

export interface OnnxModel {
  readonly name: string
  readonly producer: string
  readonly opset: number
  readonly nodes: readonly OnnxNode[]
  readonly initializers: readonly OnnxInitializer[]
  readonly inputs: readonly OnnxValue[]
  readonly outputs: readonly OnnxValue[]
}

const IR_VERSION = 8
const FLOAT = 1
const INT64 = 7
const FLOAT16 = 10
const ATTRIBUTE_INT = 2
const ATTRIBUTE_INTS = 7

/**
 * The same model with inner values as further float32 outputs, for looking into it. Leans on protobuf joining the parts of a message that
 * come one after the other.
 */
export function addOutputs(model: Uint8Array, names: readonly string[]): Uint8Array {
  const values = names.map((name) => field(12, message(text(1, name), field(2, message(field(1, integer(1, FLOAT)))))))
  return message(model, field(7, message(...values)))
}

export function encodeOnnxModel(model: OnnxModel): Uint8Array {
  const graph = message(
    ...model.nodes.map((node) => field(1, encodeNode(node))),
    text(2, model.name),
    ...model.initializers.map((initializer) => field(5, encodeInitializer(initializer))),
    ...model.inputs.map((value) => field(11, encodeValue(value))),
    ...model.outputs.map((value) => field(12, encodeValue(value))),
  )
  return message(integer(1, IR_VERSION), text(2, model.producer), field(7, graph), field(8, message(integer(2, model.opset))))
}

function encodeNode(node: OnnxNode): Uint8Array {
  return message(
    ...node.inputs.map((name) => text(1, name)),
    ...node.outputs.map((name) => text(2, name)),
    text(3, node.outputs[0] ?? ''),
    text(4, node.op),
    ...Object.entries(node.attributes ?? {}).map(([name, value]) => field(5, encodeAttribute(name, value))),
  )
}

function encodeAttribute(name: string, value: number | readonly number[]): Uint8Array {
  return typeof value === 'number'
    ? message(text(1, name), integer(3, value), integer(20, ATTRIBUTE_INT))
    : message(text(1, name), ...value.map((item) => integer(8, item)), integer(20, ATTRIBUTE_INTS))
}

function encodeInitializer({ name, kind, dims, values }: OnnxInitializer): Uint8Array {
  const raw = kind === 'float16' ? toHalves(values) : toInt64s(values)
  return message(
    ...dims.map((length) => integer(1, length)),
    integer(2, kind === 'float16' ? FLOAT16 : INT64),
    text(8, name),
    field(9, raw),
  )
}

function encodeValue({ name, dims }: OnnxValue): Uint8Array {
  const shape = message(...dims.map((length) => field(1, typeof length === 'number' ? integer(1, length) : text(2, length))))
  return message(text(1, name), field(2, message(field(1, message(integer(1, FLOAT), field(2, shape))))))
}

function message(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts)
}

function integer(number: number, value: number): Uint8Array {
  return message(varint(BigInt(number << 3)), varint(BigInt.asUintN(64, BigInt(value))))
}

function field(number: number, bytes: Uint8Array): Uint8Array {
  return message(varint(BigInt((number << 3) | 2)), varint(BigInt(bytes.length)), bytes)
}

function text(number: number, value: string): Uint8Array {
  return field(number, Buffer.from(value, 'utf8'))
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = []
  let rest = value
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  bytes.push(Number(rest))
  return Uint8Array.from(bytes)
}

function toInt64s(values: ArrayLike<number>): Uint8Array {
  const integers = BigInt64Array.from(Array.from(values), (value) => BigInt(value))
  return new Uint8Array(integers.buffer)
}

function toHalves(values: ArrayLike<number>): Uint8Array {
  const halves = Uint16Array.from(values, toHalf)
  return new Uint8Array(halves.buffer)
}

/** IEEE 754 binary16, rounded to nearest; ties go away from zero, which a weight never notices. */
export function toHalf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const size = Math.abs(value)
  if (Number.isNaN(value)) return 0x7e00
  if (size >= 65520) return sign | 0x7c00
  if (size < 2 ** -14) return sign | Math.round(size * 2 ** 24)
  const exponent = Math.floor(Math.log2(size))
  const fraction = Math.round((size / 2 ** exponent - 1) * 1024)
  // A fraction that rounds up to 1024 carries into the exponent by plain addition.
  return sign | (((exponent + 15) << 10) + fraction)
}
