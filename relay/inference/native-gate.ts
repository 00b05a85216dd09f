/**
 * Keeps a thread from being ended in the middle of native work. onnxruntime-node aborts the whole process when its thread is terminated
 * while a network runs (1.30: "terminate called after throwing an instance of 'Napi::Error'"), so the thread passes a gate before each run,
 * and whoever wants to end it shuts the gate first. One word of shared memory, because a busy thread reads no messages.
 */

const OPEN = 0
const INSIDE = 1
const SHUT = 2

export function createGateMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)
}

/** In the thread: runs `work` inside the gate, one at a time. Never goes on when the gate is shut: the thread is about to be ended. */
export async function passGate<Value>(memory: SharedArrayBuffer, work: () => Promise<Value>): Promise<Value> {
  const word = new Int32Array(memory)
  if (Atomics.compareExchange(word, 0, OPEN, INSIDE) !== OPEN) Atomics.wait(word, 0, SHUT)
  try {
    return await work()
  } finally {
    Atomics.compareExchange(word, 0, INSIDE, OPEN)
  }
}

/** On the event loop. @returns true when the thread may be ended now; false while it is inside: ask again. */
export function shutGate(memory: SharedArrayBuffer): boolean {
  const before = Atomics.compareExchange(new Int32Array(memory), 0, OPEN, SHUT)
  return before !== INSIDE
}
