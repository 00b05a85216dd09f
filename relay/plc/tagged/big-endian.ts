/** Numbers as they stand in the memory of a device, the high byte first. Pure; how a protocol orders its registers is its own business. */
import type { ValueType } from './tag-map.ts'

/** Those of more than a byte: what a bit or a byte is called differs from protocol to protocol. */
export type WideType = Exclude<ValueType, 'bool' | 'uint8'>

/** @param view begins with the value. */
export function readWide(view: DataView, type: WideType): number {
  switch (type) {
    case 'uint16':
      return view.getUint16(0)
    case 'int16':
      return view.getInt16(0)
    case 'uint32':
      return view.getUint32(0)
    case 'int32':
      return view.getInt32(0)
    case 'float32':
      return view.getFloat32(0)
  }
}

/** Fills the whole view, 1, 2 or 4 bytes; what does not fit loses its high bits. */
export function writeNumber(view: DataView, type: ValueType, value: number): void {
  if (type === 'float32') view.setFloat32(0, value)
  else if (view.byteLength === 4) view.setInt32(0, value)
  else if (view.byteLength === 2) view.setInt16(0, value)
  else view.setUint8(0, value)
}
