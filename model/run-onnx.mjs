// Runs an ONNX network of the page's runtime on raw input, so that the pipeline can compare it with PyTorch.
// node run-onnx.mjs NETWORK INPUT: INPUT holds float32 faces [N, 1, 48, 48]; prints the logits as a flat JSON array, and on
// stderr the median milliseconds of one face on one wasm thread.
import { readFile } from 'node:fs/promises';
import * as ort from 'onnxruntime-web';

const SIDE = 48;
const TIMED_RUNS = 100;
const [networkPath, inputPath] = process.argv.slice(2);
ort.env.wasm.numThreads = 1;
const session = await ort.InferenceSession.create(await readFile(networkPath), { executionProviders: ['wasm'] });
const bytes = await readFile(inputPath);
const faces = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
const input = new ort.Tensor('float32', faces, [faces.length / (SIDE * SIDE), 1, SIDE, SIDE]);
const { logits } = await session.run({ input });

const one = new ort.Tensor('float32', faces.slice(0, SIDE * SIDE), [1, 1, SIDE, SIDE]);
const times = [];
for (let run = 0; run < TIMED_RUNS; run += 1) {
  const start = performance.now();
  await session.run({ input: one });
  times.push(performance.now() - start);
}
times.sort((a, b) => a - b);
console.error(`${times[TIMED_RUNS / 2].toFixed(2)} ms per face on one wasm thread`);
console.log(JSON.stringify(Array.from(logits.data)));
