/** A thread for tests that does what the text of the picture says: crash, hang, or answer how many it has answered. */
import { parentPort, workerData } from 'node:worker_threads'

let count = 0
const facts = { name: 'pretended', version: '1.0.0', classes: [], input: {}, runtime: 'onnxruntime-node', licence: 'MIT' }
if (workerData.place.detector === 'refuse') {
  parentPort.postMessage({ kind: 'refused', problem: 'nothing opens here' })
} else {
  parentPort.postMessage({ kind: 'ready', ready: { facts, remarks: [] } })
}

parentPort.on('message', ({ picture: { source } }) => {
  if (source === 'crash') throw new Error('as asked')
  if (source === 'hang') {
    for (;;);
  }
  // Inside native work that never comes back: the thread cannot be ended without ending the process.
  if (source === 'stuck') {
    Atomics.store(new Int32Array(workerData.gate), 0, 1)
    return
  }
  count += 1
  const reading = { faces: [], width: count, height: 1 }
  parentPort.postMessage({ kind: 'answer', result: { ok: true, value: { reading, model: {}, processingMs: 1 } } })
})
