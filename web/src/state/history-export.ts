/** The history as files for other programs: CSV after RFC 4180, JSON of the same. The columns are a promise, see docs/history.md. */
import { EMOTIONS } from '#shared/model/emotions'
import { leadingEmotion } from '../history/history-block.ts'
import type { HistoryBlock, HistoryMoment, HistorySample, TimeRange } from './history-view.ts'

export interface ExportedHistory {
  readonly blocks: readonly HistoryBlock[]
  readonly moments: readonly HistoryMoment[]
  readonly range: TimeRange
}

const COLUMNS = [
  ...['seq', 'session', 'station', 'time_utc', 'time_local', 'faces', 'emotion', 'is_certain'],
  ...EMOTIONS.map((emotion) => `${emotion}_percent`),
  ...['moment', 'note'],
]
const FORMAT = 'semblante-history/1'

interface Row {
  readonly seq: number
  readonly block: HistoryBlock
  readonly sample: HistorySample
  readonly moment: HistoryMoment | undefined
}

/** One line a second, oldest number first. A moment stands in the last second that began before it. */
export function toCsv(history: ExportedHistory): string {
  const lines = toRows(history).map(({ seq, block, sample, moment }) => [
    String(seq),
    block.session,
    block.station,
    new Date(sample.time).toISOString(),
    toLocalIso(sample.time),
    String(sample.faces),
    leadingEmotion(sample) ?? '',
    sample.percents === undefined ? '' : String(sample.isCertain),
    ...EMOTIONS.map((_, index) => String(sample.percents?.[index] ?? '')),
    moment?.kind ?? '',
    toHarmless(moment?.note ?? ''),
  ])
  return [COLUMNS, ...lines].map((fields) => `${fields.map(quote).join(',')}\r\n`).join('')
}

export function toJson(history: ExportedHistory, now: number): string {
  const { range, moments } = history
  const entries = toRows(history).map(({ seq, block, sample }) => ({
    seq,
    session: block.session,
    station: block.station,
    time: new Date(sample.time).toISOString(),
    timeLocal: toLocalIso(sample.time),
    faces: sample.faces,
    ...(sample.percents === undefined
      ? {}
      : {
          emotion: leadingEmotion(sample),
          isCertain: sample.isCertain,
          percents: Object.fromEntries(EMOTIONS.map((emotion, index) => [emotion, sample.percents?.[index] ?? 0])),
        }),
  }))
  const shown = moments
    .filter(({ time }) => time >= range.from && time <= range.to)
    .map(({ id, session, time, kind, emotion, note }) => ({ id, session, time: new Date(time).toISOString(), kind, emotion, note }))
  const head = { format: FORMAT, exportedAt: new Date(now).toISOString(), timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone }
  const ends = { from: new Date(range.from).toISOString(), to: new Date(range.to).toISOString() }
  return `${JSON.stringify({ ...head, ...ends, entries, moments: shown }, undefined, 1)}\n`
}

/** As `semblante-desk-1-20261129T081500-20261129T173000.csv`, in local time. */
export function exportName(station: string, { from, to }: TimeRange, extension: 'csv' | 'json'): string {
  const compact = (time: number): string => toLocalIso(time).slice(0, 19).replaceAll(/[-:]/g, '')
  return `semblante-${station}-${compact(from)}-${compact(to)}.${extension}`
}

function toRows({ blocks, moments, range }: ExportedHistory): readonly Row[] {
  const rows: { seq: number; block: HistoryBlock; sample: HistorySample; moment: HistoryMoment | undefined }[] = []
  for (const block of blocks) {
    for (const [index, sample] of block.samples.entries()) {
      if (sample.time < range.from || sample.time > range.to) continue
      rows.push({ seq: block.first + index, block, sample, moment: undefined })
    }
  }
  for (const moment of moments) {
    const row = rows.findLast(({ block, sample }) => block.session === moment.session && sample.time <= moment.time)
    if (row !== undefined) row.moment = moment
  }
  return rows
}

/** As `2026-11-29T09:15:00.000-05:00`. */
function toLocalIso(time: number): string {
  const minutes = -new Date(time).getTimezoneOffset()
  const size = Math.abs(minutes)
  const offset = `${minutes < 0 ? '-' : '+'}${pad(Math.floor(size / 60))}:${pad(size % 60)}`
  return `${new Date(time + minutes * 60_000).toISOString().slice(0, -1)}${offset}`
}

function pad(value: number): string {
  return String(value).padStart(2, '0')
}

/** A note is a person's: a spreadsheet must not take it for a formula. */
function toHarmless(note: string): string {
  return /^[=+\-@\t\r]/.test(note) ? `'${note}` : note
}

function quote(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field
}
