/** Fingers and mouse on a chart: one that drags across selects, two that spread come nearer. What it means is left to the page. */

export interface RangeGesturesOptions {
  /** Places are 0 (left) to 1 (right), the smaller first. */
  readonly onSelecting: (from: number, to: number) => void
  readonly onSelected: (from: number, to: number) => void
  readonly onCancelled: () => void
  /** @param factor below 1 comes nearer. @param place stays where it is. */
  readonly onPinch: (factor: number, place: number) => void
}

/** Less is a touch, not a drag. */
const DRAG_PIXELS = 12

/** As an attachment: listens until the element goes. */
export function createRangeGestures(options: RangeGesturesOptions): (element: HTMLElement) => () => void {
  return (element) => {
    const pointers = new Map<number, { readonly startX: number; x: number }>()
    let spread = 0

    const toPlace = (x: number): number => {
      const { left, width } = element.getBoundingClientRect()
      return Math.min(1, Math.max(0, (x - left) / width))
    }
    const distance = (): number => {
      const [one, other] = [...pointers.values()]
      return one === undefined || other === undefined ? 0 : Math.max(1, Math.abs(one.x - other.x))
    }

    function onDown(event: PointerEvent): void {
      if (event.button !== 0 || pointers.size >= 2) return
      pointers.set(event.pointerId, { startX: event.clientX, x: event.clientX })
      element.setPointerCapture(event.pointerId)
      spread = distance()
      if (pointers.size === 2) options.onCancelled()
    }
    function onMove(event: PointerEvent): void {
      const pointer = pointers.get(event.pointerId)
      if (pointer === undefined) return
      pointer.x = event.clientX
      if (pointers.size === 2) {
        const [one, other] = [...pointers.values()]
        const next = distance()
        options.onPinch(spread / next, toPlace(((one?.x ?? 0) + (other?.x ?? 0)) / 2))
        spread = next
      } else if (Math.abs(pointer.x - pointer.startX) >= DRAG_PIXELS) select(pointer, options.onSelecting)
    }
    function onUp(event: PointerEvent): void {
      const pointer = pointers.get(event.pointerId)
      const wasAlone = pointers.size === 1
      pointers.delete(event.pointerId)
      if (pointer === undefined || !wasAlone) return
      if (event.type === 'pointerup' && Math.abs(pointer.x - pointer.startX) >= DRAG_PIXELS && spread === 0)
        select(pointer, options.onSelected)
      else options.onCancelled()
      spread = 0
    }
    function select({ startX, x }: { readonly startX: number; readonly x: number }, tell: (from: number, to: number) => void): void {
      if (spread === 0) tell(toPlace(Math.min(startX, x)), toPlace(Math.max(startX, x)))
    }

    element.addEventListener('pointerdown', onDown)
    element.addEventListener('pointermove', onMove)
    element.addEventListener('pointerup', onUp)
    element.addEventListener('pointercancel', onUp)
    return () => {
      element.removeEventListener('pointerdown', onDown)
      element.removeEventListener('pointermove', onMove)
      element.removeEventListener('pointerup', onUp)
      element.removeEventListener('pointercancel', onUp)
    }
  }
}
