/**
 * `npm run model:robustness -- --data DIR [--split NAME] [--limit N] [--manifest FILE]`: what the way from a camera frame to a crop
 * costs, as one JSON object and as the table `model/ROBUSTNESS.md`. Everything but the JSON object goes to stderr.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { FaceNetworks } from '#shared/vision/face-pipeline'
import { DataError, type LabelledFace, loadSplit } from './labelled-faces.ts'
import { CONDITIONS, type ConditionResult, measureCondition } from './measure-robustness.ts'
import { measureQuality } from './measure-quality.ts'
import { openDetector } from './open-detector.ts'
import { openNetwork } from './open-network.ts'
import { toQualityTable } from './quality-table.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const USAGE = 'npm run model:robustness -- --data DIR [--split NAME] [--limit N] [--manifest FILE]'
const DEFAULT_LIMIT = 400
/** A tenth of them is refused, in three ways. */
const QUALITY_FACES = 480

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      data: { type: 'string' },
      split: { type: 'string', default: 'valid' },
      limit: { type: 'string', default: String(DEFAULT_LIMIT) },
      manifest: { type: 'string', default: join(root, 'web/public/models/emotion.json') },
      only: { type: 'string', default: '' },
    },
  })
  const { data, split, manifest: manifestFile, only } = values
  if (data === undefined) throw new DataError(`--data is needed: ${USAGE}`)
  const labelled = (await loadSplit(data, split)).faces.filter((face) => face.label !== null)
  const faces = spread(labelled, Number(values.limit))
  await using bare = await openNetwork(manifestFile, 'node')
  await using detector = await openDetector(join(root, 'web/public/models/blazeface.onnx'), 'node')
  const networks: FaceNetworks = { detect: detector.detect, classify: bare.run }
  const results: ConditionResult[] = []
  for (const condition of CONDITIONS.filter(({ name }) => name.includes(only))) {
    const classifyBare = async (picture: Parameters<typeof bare.classify>[0][number]) => (await bare.classify([picture]))[0] ?? []
    const result = await measureCondition(condition, { networks, manifest: bare.manifest, classifyBare, faces })
    results.push(result)
    console.error(toRow(result))
  }
  const { name, version, sha256 } = bare.manifest
  if (only === '') {
    const quality = toQualityTable(await measureQuality({ networks, manifest: bare.manifest, faces: spread(labelled, QUALITY_FACES) }))
    const page = toPage(`${name} ${version} (sha256 ${sha256.slice(0, 12)})`, { results, quality })
    await writeFile(join(root, 'model/ROBUSTNESS.md'), page)
  }
  console.log(JSON.stringify({ network: `${name}@${version}`, sha256, split, rule: 'majority', conditions: results }, null, 2))
}

function spread(faces: readonly LabelledFace[], limit: number): readonly LabelledFace[] {
  const step = Math.max(1, faces.length / limit)
  return Array.from({ length: Math.floor(faces.length / step) }, (_, index) => faces[Math.floor(index * step)]).filter(
    (face) => face !== undefined,
  )
}

function percent(value: number): string {
  return (value * 100).toFixed(1)
}

function toRow(result: ConditionResult): string {
  const { name, faces, found, bareAccuracy, firstFrameAccuracy, accuracy, gapPoints } = result
  const precision = result.certainPrecision === null ? '-' : percent(result.certainPrecision)
  const cells = [
    name,
    percent(found / faces),
    percent(bareAccuracy),
    percent(accuracy),
    gapPoints.toFixed(1),
    percent(firstFrameAccuracy),
    percent(result.certainShare),
    precision,
    percent(result.unreadableShare),
  ]
  return `| ${cells.join(' | ')} |`
}

function toPage(network: string, { results, quality }: { readonly results: readonly ConditionResult[]; readonly quality: string }): string {
  const faces = results[0]?.faces ?? 0
  const spread = (196 * Math.sqrt((0.87 * 0.13) / Math.max(1, faces))).toFixed(1)
  return `# On a webcam, not only on crops

Written by \`npm run model:robustness -- --data DIR\`; do not edit by hand. Network: ${network}.

${String(faces)} faces of the split, evenly spread (majority rule), each pasted into a 640 by 480 frame at a seeded random place, in front of a
soft background, and read by the page's own pipeline: detector, alignment, network. The first column names the size of the whole image
of the data set in the frame. *Gap* is the accuracy of the same faces as bare crops less the accuracy through the pipeline, in points, on
the faces that were found. Numbers are percent; accuracies of ${String(faces)} faces are known to about ±${spread} points, gaps, being differences on
the same faces, to about ±${String(Math.round(28 / Math.sqrt(Math.max(1, faces))))} points.

| scene | found | bare crop | pipeline | gap | first frame | shown as certain | right of those | too small, blurred or turned |
|---|---|---|---|---|---|---|---|---|
${results.map(toRow).join('\n')}

What limits this test: the images end at the chin and the hairline, so the detector misses small ones that it would find on a whole
head; and enlarging 48 px to more gives no detail that a camera would, only softness. With the exact crop instead of the detector's, the
same scenes lose 1.2 points at 64 px, 1.4 at 96 px and 2.3 at 160 px (300 faces, an interim network): that part of the gap is the
enlarging.

What was found and changed, each measured on 200 faces with version 1.0.0 of the network: the eyes of a face that is small in the
detector's input are off by enough to cost 17 points at 64 px in the frame in which it is found, so such a face is looked at closely
before it is read; a crop laid by eyes alone is too tight for faces that look aside, so the mouth counts too (about 1 point); the
detector places the eyes of a tilted face badly, so its square is turned upright before it is looked at again (gap at -30°: 3.6 before,
0.0 after); and what the wide search only half believes (score 0.2 to 0.5) gets a closer look instead of being dropped (found at 64 px:
82.5 before, 97.5 after).

What was tried and dropped: brightening dark pictures for the detector, which raises the noise with the face. At a tenth of the light,
brightened to a mean of 0.35, 89.0 % are found and the gap is 7.9 points; to 0.15, 93.5 % and 7.5; left as they are, 93.5 % and 6.4. A bare
crop of a tenth of the light loses as much, so the rest is the network's.

## Which faces are refused as unreadable

${String(QUALITY_FACES)} faces of the split, each in one frame at a size of 24 to 128 px (evenly spread in the logarithm), every second one out of focus by up to 3
of its 48 pixels (standard deviation), read in the frame in which they are found and whatever their quality. The thresholds of
\`shared/vision/quality.ts\` were chosen from this table: where a row is read wrongly about twice as often as what is not refused.

${quality}
`
}

main().catch((error: unknown) => {
  console.error(error instanceof DataError ? error.message : error)
  process.exitCode = 1
})
