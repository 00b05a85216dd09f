/**
 * `npm run model:evaluate -- --data DIR --split NAME [--manifest FILE] [--out DIR] [--runtime web|node] [--limit N]`: what a network is
 * worth on labelled faces, as one JSON object, and two pictures. Everything but the JSON object goes to stderr.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { drawConfusion, drawReliability } from './draw-figures.ts'
import { evaluateNetwork } from './evaluate-network.ts'
import { DataError } from './labelled-faces.ts'
import { openNetwork } from './open-network.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const USAGE = 'npm run model:evaluate -- --data DIR --split NAME [--manifest FILE] [--out DIR] [--runtime web|node] [--limit N]'

async function main(): Promise<void> {
  const options = readOptions()
  await using network = await openNetwork(options.manifest, options.runtime)
  const { figures, report } = await evaluateNetwork({ network, ...options, onProgress: showProgress })
  const title = `${network.manifest.name} ${network.manifest.version}, ${options.split}`
  await mkdir(options.out, { recursive: true })
  const files = [join(options.out, `confusion-${options.split}.svg`), join(options.out, `reliability-${options.split}.svg`)] as const
  await writeFile(files[0], drawConfusion(`${title}: who is taken for whom`, figures))
  await writeFile(files[1], drawReliability(`${title}: confidence and truth`, figures))
  console.error(`wrote ${files.join(' and ')}`)
  console.log(JSON.stringify(report, null, 2))
}

interface Options {
  readonly folder: string
  readonly split: string
  readonly manifest: string
  readonly out: string
  readonly runtime: 'web' | 'node'
  readonly limit?: number
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      data: { type: 'string' },
      split: { type: 'string' },
      manifest: { type: 'string', default: join(root, 'web/public/models/emotion.json') },
      out: { type: 'string', default: join(root, 'model/figures') },
      runtime: { type: 'string', default: 'web' },
      limit: { type: 'string' },
    },
  })
  const { data: folder, split, manifest, out, runtime } = values
  if (folder === undefined || split === undefined) throw new DataError(`--data and --split are needed: ${USAGE}`)
  if (runtime !== 'web' && runtime !== 'node') throw new DataError(`--runtime ${runtime}: expected web or node`)
  if (values.limit === undefined) return { folder, split, manifest, out, runtime }
  const limit = Number(values.limit)
  if (!Number.isInteger(limit) || limit < 1) throw new DataError(`--limit ${values.limit}: expected a whole number above 0`)
  return { folder, split, manifest, out, runtime, limit }
}

function showProgress(done: number, total: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${String(done)} of ${String(total)} images`)
  else if (done === total || done % 640 === 0) console.error(`${String(done)} of ${String(total)} images`)
}

main().catch((error: unknown) => {
  const isExpected = error instanceof DataError || (error instanceof TypeError && 'code' in error)
  console.error(isExpected ? error.message : error)
  process.exitCode = 1
})
