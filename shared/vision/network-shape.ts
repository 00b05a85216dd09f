/**
 * The shape of what goes into an emotion network and comes out of it, and whether the network at hand is the one its manifest
 * describes. Knows no runtime: whoever loads the network passes the shapes it found.
 */
import { channelsOf, type ModelInput, type ModelManifest } from './model-manifest.ts'

/** Lengths as the runtime tells them; a text stands for one that is known only at run time. */
export type NetworkShape = readonly (number | string)[]

export interface FoundNetwork {
  /** Of the input that the manifest names; null when the network has none of that name. */
  readonly input: NetworkShape | null
  /** Of the output that the manifest names. */
  readonly output: NetworkShape | null
}

export type NetworkFit =
  /** `facesAtOnce`: null when any number of faces may be given together. */
  | { readonly ok: true; readonly facesAtOnce: number | null }
  /** `field` is a JSON pointer into the manifest. */
  | { readonly ok: false; readonly field: string; readonly problem: string }

/** Numbers per face. */
export function valuesPerFace({ size, color }: ModelInput): number {
  return size * size * channelsOf(color)
}

/** The tensor's lengths for so many faces. */
export function inputDims({ size, color, layout }: ModelInput, count: number): readonly number[] {
  const channels = channelsOf(color)
  return layout === 'NCHW' ? [count, channels, size, size] : [count, size, size, channels]
}

/** Holds a manifest against the network it describes. A length that is known only at run time fits everything. */
export function checkNetworkShape({ input, output, classes }: ModelManifest, found: FoundNetwork): NetworkFit {
  if (found.input === null) return { ok: false, field: '/input/name', problem: `the network has no input "${input.name}"` }
  if (found.output === null) return { ok: false, field: '/output/name', problem: `the network has no output "${output.name}"` }
  const wanted = inputDims(input, 1)
  const takes = `the network takes ${toText(found.input)}, the manifest says ${toText(['N', ...wanted.slice(1)])} (${input.layout})`
  if (found.input.length !== 4) return { ok: false, field: '/input', problem: takes }
  const [, , height, width] = input.layout === 'NCHW' ? [0, 1, 2, 3] : [0, 3, 1, 2]
  for (const index of [1, 2, 3]) {
    if (fits(found.input[index], wanted[index])) continue
    const field = index === width ? '/input/width' : index === height ? '/input/height' : '/input/color'
    // Channels where a side should be, or the other way round, means that the layout is wrong and not a length.
    return { ok: false, field: isOtherLayout(found.input, input) ? '/input/layout' : field, problem: takes }
  }
  const answers = found.output.at(-1)
  if (!fits(answers, classes.length)) {
    return {
      ok: false,
      field: '/classes',
      problem: `the network answers ${String(answers)} numbers, the manifest lists ${String(classes.length)} classes`,
    }
  }
  const [batch] = found.input
  return { ok: true, facesAtOnce: typeof batch === 'number' && batch > 0 ? batch : null }
}

function isOtherLayout(found: NetworkShape, input: ModelInput): boolean {
  const other = inputDims({ ...input, layout: input.layout === 'NCHW' ? 'NHWC' : 'NCHW' }, 1)
  return [1, 2, 3].every((index) => fits(found[index], other[index]))
}

/** Runtimes tell an unknown length as a text, as -1 or as nothing. */
function fits(found: number | string | undefined, wanted: number | undefined): boolean {
  return typeof found !== 'number' || found <= 0 || found === wanted
}

function toText(shape: NetworkShape): string {
  return `[${shape.join(', ')}]`
}
