/** The table of `ROBUSTNESS.md` about faces that are refused as unreadable, from what `measure-quality.ts` saw. */
import type { QualitySample } from './measure-quality.ts'

type Measure = (sample: QualitySample) => number

/** Borders between the rows of each measure; the ones that `shared/vision/quality.ts` draws are among them. */
const MEASURES: readonly { readonly name: string; readonly of: Measure; readonly borders: readonly number[] }[] = [
  { name: 'width of the face, px', of: ({ width }) => width, borders: [20, 24, 28, 36, 50] },
  { name: 'sharpness', of: ({ sharpness }) => sharpness, borders: [0.01, 0.02, 0.04, 0.08] },
  { name: 'turn', of: ({ turn }) => turn, borders: [0.15, 0.3, 0.4, 0.5] },
]

export function toQualityTable(samples: readonly QualitySample[]): string {
  const refused = samples.filter(({ fault }) => fault !== null)
  const faults = ['small', 'blurred', 'turned'] as const
  const rows = [
    toRow('**not refused**', samples, ({ fault }) => fault === null),
    toRow('**refused**', samples, ({ fault }) => fault !== null),
    ...faults.map((name) => toRow(`refused as ${name}`, refused, ({ fault }) => fault === name)),
    ...MEASURES.flatMap(({ name, of, borders }) =>
      [...borders, Number.POSITIVE_INFINITY].map((end, index) => {
        const start = borders[index - 1] ?? 0
        const range = Number.isFinite(end) ? `${String(start)} to ${String(end)}` : `${String(start)} and more`
        return toRow(`${name}: ${range}`, samples, (sample) => of(sample) >= start && of(sample) < end)
      }),
    ),
  ]
  return ['| faces | how many | read wrongly, % |', '|---|---|---|', ...rows].join('\n')
}

function toRow(name: string, samples: readonly QualitySample[], isOne: (sample: QualitySample) => boolean): string {
  const own = samples.filter(isOne)
  const wrong = own.filter(({ isRight }) => !isRight).length
  return `| ${name} | ${String(own.length)} | ${own.length === 0 ? '–' : ((100 * wrong) / own.length).toFixed(1)} |`
}
