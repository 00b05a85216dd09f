/**
 * Labelled face images from disk, in the three layouts people have them in. Pixels are decoded when asked for, so that a large split
 * does not fill the memory. What is measured on them is left to others.
 */
import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { EMOTIONS } from '#shared/model/emotions'
import type { Pixels } from '#shared/vision/geometry'
import { readCsv } from './read-csv.ts'
import { majorityLabel, VOTE_COLUMNS } from './majority-rule.ts'

export interface LabelledFace {
  readonly name: string
  /** An index into `EMOTIONS`; null where the labels leave the image out. */
  readonly label: number | null
  readPixels(): Promise<Pixels>
}

export interface FaceSplit {
  readonly layout: 'sheets' | 'ferplus' | 'folders'
  /** How the labels were made. */
  readonly rule: 'majority' | 'folder'
  readonly faces: readonly LabelledFace[]
}

/** Something about the data that the person can mend; the text says what was expected, what was found and what to do. */
export class DataError extends Error {}

const SIDE = 48
const SHEET_COLUMNS = 64
const SHEET_CELLS = 4096
/** The folders that Microsoft's FERPlus scripts make. */
const FERPLUS_FOLDERS: Readonly<Record<string, string>> = { train: 'FER2013Train', valid: 'FER2013Valid', test: 'FER2013Test' }
const IMAGE_FILE = /\.(?:png|jpe?g|webp|bmp)$/i
/** Names of class folders besides those of `EMOTIONS`. */
const OTHER_NAMES: Readonly<Record<string, (typeof EMOTIONS)[number]>> = {
  angry: 'anger',
  disgusted: 'disgust',
  fearful: 'fear',
  happy: 'happiness',
  sad: 'sadness',
  surprised: 'surprise',
}

/**
 * @param folder sheets (`votes.csv` and `<split>-NN.png`), the FER+ layout (`FER2013Test/label.csv`), or class folders, with or without
 *   a folder named like the split around them.
 * @throws DataError
 */
export async function loadSplit(folder: string, split: string): Promise<FaceSplit> {
  if (!(await isFolder(folder))) throw new DataError(`--data ${folder}: there is no such folder`)
  if (await isFile(join(folder, 'votes.csv'))) return loadSheets(folder, split)
  const ferplus = join(folder, FERPLUS_FOLDERS[split] ?? split)
  if (await isFile(join(ferplus, 'label.csv'))) return loadFerplus(ferplus)
  const classes = (await isFolder(join(folder, split))) ? join(folder, split) : folder
  const found = await loadClassFolders(classes)
  if (found !== null) return found
  throw new DataError(
    `--data ${folder} --split ${split}: expected votes.csv beside ${split}-00.png, or ${FERPLUS_FOLDERS[split] ?? split}/label.csv, ` +
      `or folders named like the classes (${EMOTIONS.join(', ')}); found none of them`,
  )
}

/** Equal exactly for images of the same pixels. */
export function digestOf({ data }: Pixels): string {
  return createHash('sha1').update(data).digest('hex')
}

async function loadSheets(folder: string, split: string): Promise<FaceSplit> {
  const [header, ...rows] = readCsv(await readFile(join(folder, 'votes.csv'), 'utf8'))
  const place = (name: string): number => {
    const index = header?.indexOf(name) ?? -1
    if (index === -1) throw new DataError(`${folder}/votes.csv: expected a column "${name}", found ${(header ?? []).join(', ')}`)
    return index
  }
  const [ofSplit, ofIndex, ofName] = [place('split'), place('index'), place('name')]
  const ofVotes = VOTE_COLUMNS.map(place)
  const own = rows.filter((row) => row[ofSplit] === split)
  if (own.length === 0) {
    const splits = [...new Set(rows.map((row) => row[ofSplit] ?? ''))]
    throw new DataError(`${folder}/votes.csv: expected rows of the split "${split}", found only ${splits.join(', ')}`)
  }
  const sheets = new Map<number, Promise<GraySheet>>()
  const sheetOf = (index: number): Promise<GraySheet> => {
    const number = Math.floor(index / SHEET_CELLS)
    const sheet = sheets.get(number) ?? readSheet(join(folder, `${split}-${String(number).padStart(2, '0')}.png`))
    sheets.set(number, sheet)
    return sheet
  }
  const faces = own.map((row): LabelledFace => {
    const index = Number(row[ofIndex])
    const votes = ofVotes.map((column) => Number(row[column]))
    return { name: row[ofName] ?? String(index), label: majorityLabel(votes), readPixels: async () => cutCell(await sheetOf(index), index) }
  })
  // A missing sheet is told before anything is computed.
  for (let index = 0; index < own.length; index += SHEET_CELLS) await sheetOf(index)
  return { layout: 'sheets', rule: 'majority', faces }
}

interface GraySheet {
  readonly file: string
  readonly width: number
  readonly height: number
  readonly gray: Uint8Array
}

async function readSheet(file: string): Promise<GraySheet> {
  if (!(await isFile(file))) throw new DataError(`${file}: there is no such sheet, although votes.csv lists its images`)
  const { data, info } = await sharp(file, { limitInputPixels: 100_000_000 })
    .toColourspace('b-w')
    .raw()
    .toBuffer({ resolveWithObject: true })
  if (info.width !== SHEET_COLUMNS * SIDE || info.height % SIDE !== 0 || info.channels !== 1) {
    throw new DataError(
      `${file}: expected a gray sheet of ${SHEET_COLUMNS} columns of ${SIDE} px, found ${info.width} by ${info.height} px`,
    )
  }
  return { file, width: info.width, height: info.height, gray: data }
}

function cutCell({ file, width, height, gray }: GraySheet, index: number): Pixels {
  const cell = index % SHEET_CELLS
  const left = (cell % SHEET_COLUMNS) * SIDE
  const top = Math.floor(cell / SHEET_COLUMNS) * SIDE
  if (top + SIDE > height) throw new DataError(`${file}: image ${index} lies below the end of the sheet`)
  const data = new Uint8Array(SIDE * SIDE * 4)
  for (let place = 0; place < SIDE * SIDE; place += 1) {
    const value = gray[(top + Math.floor(place / SIDE)) * width + left + (place % SIDE)] ?? 0
    data.fill(value, place * 4, place * 4 + 3)
    data[place * 4 + 3] = 255
  }
  return { width: SIDE, height: SIDE, data }
}

/** Rows are `fer0000001.png,"(0, 0, 48, 48)",` and ten votes; later versions of the scripts leave the box out. */
async function loadFerplus(folder: string): Promise<FaceSplit> {
  const rows = readCsv(await readFile(join(folder, 'label.csv'), 'utf8')).filter((row) => IMAGE_FILE.test(row[0] ?? ''))
  const faces = rows.map((row): LabelledFace => {
    const name = row[0] ?? ''
    const box = readBox(row[1] ?? '')
    const votes = row.slice(box === null ? 1 : 2).map(Number)
    if (votes.length !== VOTE_COLUMNS.length || votes.some((count) => !Number.isFinite(count))) {
      throw new DataError(`${folder}/label.csv: ${name}: expected ten votes, found "${row.slice(1).join(',')}"`)
    }
    return { name, label: majorityLabel(votes), readPixels: () => readImage(join(folder, name), box) }
  })
  const [first] = faces
  if (first === undefined) throw new DataError(`${folder}/label.csv: expected rows like fer0000001.png,"(0, 0, 48, 48)",4,0,…; found none`)
  await first.readPixels()
  return { layout: 'ferplus', rule: 'majority', faces }
}

/** Left, top, right, bottom. */
type Box = readonly [number, number, number, number]

function readBox(text: string): Box | null {
  const match = /^\((\d+), *(\d+), *(\d+), *(\d+)\)$/.exec(text.trim())
  if (match === null) return null
  return [Number(match[1]), Number(match[2]), Number(match[3]), Number(match[4])]
}

async function loadClassFolders(folder: string): Promise<FaceSplit | null> {
  const entries = await readdir(folder, { withFileTypes: true })
  const faces: LabelledFace[] = []
  for (const entry of entries.filter((each) => each.isDirectory()).sort((a, b) => a.name.localeCompare(b.name))) {
    const lower = entry.name.toLowerCase()
    const label = EMOTIONS.findIndex((emotion) => emotion === (OTHER_NAMES[lower] ?? lower))
    if (label === -1) continue
    const files = (await readdir(join(folder, entry.name))).filter((file) => IMAGE_FILE.test(file)).sort()
    for (const file of files) {
      faces.push({ name: `${entry.name}/${file}`, label, readPixels: () => readImage(join(folder, entry.name, file), null) })
    }
  }
  return faces.length === 0 ? null : { layout: 'folders', rule: 'folder', faces }
}

async function readImage(file: string, box: Box | null): Promise<Pixels> {
  if (!(await isFile(file))) throw new DataError(`${file}: there is no such image, although it is listed`)
  const image = sharp(file, { limitInputPixels: 50_000_000 })
  if (box !== null) image.extract({ left: box[0], top: box[1], width: box[2] - box[0], height: box[3] - box[1] })
  const { data, info } = await image
    .toColourspace('srgb')
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
    .catch((error: unknown) => {
      throw new DataError(`${file}: could not be read as an image: ${error instanceof Error ? error.message : String(error)}`)
    })
  return { width: info.width, height: info.height, data: Uint8Array.from(data) }
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() === true
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() === true
}
