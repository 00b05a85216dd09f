/**
 * `npm run model:compare -- --data DIR [--split NAME] [--limit N]`: our network and the one inside `@vladmandic/human` on the same images
 * and in the same browser, beside published figures, as `model/RESULTS-COMPARISON.md`; its table in the README and the model card as well.
 * Everything but the JSON object goes to stderr.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { availableParallelism, loadavg } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { format, getFileInfo, resolveConfig } from 'prettier'
import { EMOTIONS } from '#shared/model/emotions'
import { inputDims } from '#shared/vision/network-shape'
import { type Answer, type ClassificationFigures, measureAnswers } from './classification-figures.ts'
import { countMacs } from './count-macs.ts'
import { openHumanEmotion } from './human-emotion.ts'
import { DataError, loadSplit } from './labelled-faces.ts'
import { openNetwork } from './open-network.ts'
import { type BrowserTimes, timeInBrowser } from './time-in-browser.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const BATCH = 64
/** Show the table too, between the marks. */
const SHOWN_IN = ['README.md', 'model/MODEL_CARD.md']
const MARKS = { from: '<!-- model:compare -->', to: '<!-- /model:compare -->' }
const CONTEMPT = EMOTIONS.indexOf('contempt')

interface Row {
  readonly name: string
  readonly data: string
  /** 0 to 1, or what the source says. */
  readonly accuracy: string
  readonly withoutContempt: string
  readonly macroRecall: string
  readonly size: string
  readonly mmac: string
  readonly milliseconds: string
}

/** What others report of themselves. Not run here: different splits and rules; see the notes under the table. */
const PUBLISHED: readonly Row[] = [
  published('FER+ VGG13, probabilistic label drawing [1]', 'FER+ test', '85.0'),
  { ...published('`emotion-ferplus-8` of the ONNX model zoo, the same network [2]', 'FER+ test', '85.0'), size: '35 MB' },
  { ...published('PAtt-Lite, MobileNetV1 pre-trained on ImageNet, 224 px [3]', 'FER+ test', '95.6'), size: '1.10 M parameters' },
  published('EfficientFace [4]', 'RAF-DB test, not FER+', '88.4'),
]

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      data: { type: 'string' },
      split: { type: 'string', default: 'valid' },
      limit: { type: 'string', default: '100000' },
      manifest: { type: 'string', default: join(root, 'web/public/models/emotion.json') },
    },
  })
  if (values.data === undefined) throw new DataError('--data is needed: npm run model:compare -- --data DIR [--split NAME] [--limit N]')
  await using network = await openNetwork(values.manifest, 'node')
  const human = await openHumanEmotion()
  const { ours, theirs } = await classifyBoth(values.data, values.split, {
    limit: Number(values.limit),
    classifiers: { ours: network.classify, theirs: human.classify },
  })
  const dims = inputDims(network.manifest.input, 1)
  const macs = { ours: await countMacs(network.bytes, dims), theirs: human.countMacs() }
  const times = await timeInBrowser(join(dirname(values.manifest), network.manifest.file), dims)
  const rows = [
    toRow(`**${network.manifest.name} ${network.manifest.version}** (ours)`, ours, { bytes: network.bytes.length, macs: macs.ours, ms: times?.ours.median ?? null }),
    toRow(`mini-Xception inside \`@vladmandic/human\` ${human.version}`, theirs, { bytes: human.bytes, macs: macs.theirs, ms: times?.human.median ?? null }),
    ...PUBLISHED,
  ]
  const table = toTable(rows)
  await writeFile(join(root, 'model/RESULTS-COMPARISON.md'), toPage(table, { split: values.split, count: ours.length, times }))
  for (const file of SHOWN_IN) await showIn(file, table)
  console.log(JSON.stringify({ split: values.split, rule: 'majority', ours: summarise(ours), human: summarise(theirs), macs, times }, null, 2))
}

type Classify = (pictures: Parameters<Awaited<ReturnType<typeof openHumanEmotion>>['classify']>[0]) => Promise<readonly (readonly number[])[]>

interface Contest {
  readonly limit: number
  readonly classifiers: { readonly ours: Classify; readonly theirs: Classify }
}

async function classifyBoth(folder: string, split: string, { limit, classifiers }: Contest): Promise<{ ours: readonly Answer[]; theirs: readonly Answer[] }> {
  const { faces } = await loadSplit(folder, split)
  const labelled = faces.flatMap((face) => (face.label === null ? [] : [{ face, label: face.label }]))
  const step = Math.max(1, labelled.length / limit)
  const chosen = labelled.filter((_, index) => Math.floor(index / step) !== Math.floor((index - 1) / step))
  const ours: Answer[] = []
  const theirs: Answer[] = []
  for (let start = 0; start < chosen.length; start += BATCH) {
    const part = chosen.slice(start, start + BATCH)
    const pictures = await Promise.all(part.map(({ face }) => face.readPixels()))
    const [mine, other] = [await classifiers.ours(pictures), await classifiers.theirs(pictures)]
    for (const [index, { label }] of part.entries()) {
      ours.push({ label, probabilities: mine[index] ?? [] })
      theirs.push({ label, probabilities: other[index] ?? [] })
    }
    if (start % (BATCH * 10) === 0) console.error(`${String(ours.length)} of ${String(chosen.length)} images`)
  }
  return { ours, theirs }
}

interface Cost {
  readonly bytes: number
  readonly macs: number
  readonly ms: number | null
}

function toRow(name: string, answers: readonly Answer[], { bytes, macs, ms }: Cost): Row {
  const figures = measureAnswers(answers)
  return {
    name,
    data: 'FER+ valid',
    accuracy: withInterval(figures),
    withoutContempt: percent(withoutContempt(answers).accuracy),
    macroRecall: percent(figures.macroRecall),
    size: `${(bytes / 1000).toFixed(0)} kB`,
    mmac: (macs / 1e6).toFixed(1),
    milliseconds: ms === null ? '–' : ms.toFixed(1),
  }
}

/** As if nobody had ever been contemptuous: those images are left out, and what the answer gives to contempt does not count. */
function withoutContempt(answers: readonly Answer[]): ClassificationFigures {
  const seven = answers
    .filter(({ label }) => label !== CONTEMPT)
    .map(({ label, probabilities }) => ({ label, probabilities: probabilities.map((value, index) => (index === CONTEMPT ? 0 : value)) }))
  return measureAnswers(seven)
}

function published(name: string, data: string, accuracy: string): Row {
  return { name, data, accuracy, withoutContempt: '–', macroRecall: '–', size: '–', mmac: '–', milliseconds: '–' }
}

function percent(value: number): string {
  return (value * 100).toFixed(1)
}

function withInterval({ accuracy, interval }: ClassificationFigures): string {
  return interval === null ? percent(accuracy) : `${percent(accuracy)} (${percent(interval[0])} to ${percent(interval[1])})`
}

function summarise(answers: readonly Answer[]): object {
  const { n, accuracy, interval, macroRecall, perClassRecall } = measureAnswers(answers)
  return { n, accuracy, interval, macroRecall, perClassRecall, accuracyWithoutContempt: withoutContempt(answers).accuracy }
}

function toTable(rows: readonly Row[]): string {
  const lines = rows.map(
    (row) =>
      `| ${[row.name, row.data, row.accuracy, row.withoutContempt, row.macroRecall, row.size, row.mmac, row.milliseconds].join(' | ')} |`,
  )
  return `| network | measured on | accuracy | without contempt | macro recall | size | MMAC | ms per face in the browser |
|---|---|---|---|---|---|---|---|
${lines.join('\n')}`
}

/** @throws Error when the file has no marks. */
async function showIn(file: string, table: string): Promise<void> {
  const path = join(root, file)
  const text = await readFile(path, 'utf8')
  const [from, to] = [text.indexOf(MARKS.from), text.indexOf(MARKS.to)]
  if (from < 0 || to < from) throw new Error(`${file}: expected a line ${MARKS.from} and after it a line ${MARKS.to}; found none`)
  const changed = `${text.slice(0, from)}${MARKS.from}\n\n${table}\n\n${text.slice(to)}`
  const { ignored } = await getFileInfo(path, { ignorePath: join(root, '.prettierignore') })
  await writeFile(path, ignored ? changed : await format(changed, { ...(await resolveConfig(path)), filepath: path }))
}

function toPage(table: string, made: { readonly split: string; readonly count: number; readonly times: BrowserTimes | null }): string {
  return `# Beside what people load today

Written by \`npm run model:compare -- --data DIR\`; do not edit by hand. Accuracies in percent, with 95 % intervals.

${table}

The first two rows were run here, on the same ${String(made.count)} images of FER+ ${made.split} (majority rule, bare crops) and in the same
browser (${made.times === null ? 'none was at hand' : `${made.times.browser}, one wasm thread, median of ${String(made.times.runs)}, by turns`}; ours on onnxruntime-web, the other on tfjs-wasm as its library runs it; the
machine's load was ${(loadavg()[0] ?? 0).toFixed(1)} on ${String(availableParallelism())} cores, and where that is more than the cores both would be faster at rest${toFastest(made.times)}). The
network of \`human\` knows seven classes: images of contempt count as wrong in *accuracy* and macro recall, and are left out, for both, in
*without contempt*. It was trained on FER2013, whose training images are those of FER+ with other labels; valid here is what FER2013 calls the
public test.

The other rows are what their authors report, not run here. They are of the test split, ours of valid, so a point or two between them means
nothing.

1. Barsoum, Zhang, Canton Ferrer, Zhang: Training Deep Networks for Facial Expression Recognition with Crowd-Sourced Label Distribution, ICMI 2016,
   [arXiv:1608.01041](https://arxiv.org/abs/1608.01041): 84.986 % with probabilistic label drawing.
2. [ONNX model zoo, emotion_ferplus](https://github.com/onnx/models): input 1x1x64x64, gray 0 to 255, eight scores.
3. Ngwe, Lim, Lee, Ong, Alqahtani: PAtt-Lite, [arXiv:2306.09626](https://arxiv.org/abs/2306.09626), as listed for FER+. Far above what
   others reach on these labels, and its rule for them was not checked here.
4. Zhao, Liu, Zhou: Robust Lightweight Facial Expression Recognition Network with Label Distribution Training, AAAI 2021,
   [doi:10.1609/aaai.v35i4.16465](https://doi.org/10.1609/aaai.v35i4.16465). Another data set: in the table because it is the light network others
   compare with.
`
}

function toFastest(times: BrowserTimes | null): string {
  if (times === null) return ''
  return `: the fastest tenth of the runs took up to ${times.ours.fastestTenth.toFixed(1)} and ${times.human.fastestTenth.toFixed(1)} ms`
}

main().catch((error: unknown) => {
  console.error(error instanceof DataError ? error.message : error)
  process.exitCode = 1
})
