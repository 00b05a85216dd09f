/** The two pictures of an evaluation, as SVG text: who is taken for whom, and whether confidence means what it says. */
import { EMOTIONS } from '#shared/model/emotions'
import type { ClassificationFigures } from './classification-figures.ts'

const FONT = 'font-family="system-ui, sans-serif"'
const INK = '#1c2430'
const SOFT = '#5b6675'
const ACCENT = '#2f6f9f'
const BACK = `<rect width="100%" height="100%" fill="#fff"/>`

/** Rows are labels, columns answers; a cell's depth is its share of the row. */
export function drawConfusion(title: string, { confusion }: ClassificationFigures): string {
  const cell = 56
  const left = 110
  const top = 118
  const side = cell * EMOTIONS.length
  const cells = confusion.flatMap((row, rowIndex) => {
    const total = row.reduce((sum, count) => sum + count, 0)
    return row.map((count, columnIndex) => {
      const share = total === 0 ? 0 : count / total
      const x = left + columnIndex * cell
      const y = top + rowIndex * cell
      const ink = share > 0.5 ? '#fff' : INK
      return (
        `<rect x="${x}" y="${y}" width="${cell - 2}" height="${cell - 2}" rx="4" fill="${ACCENT}" fill-opacity="${(0.04 + share * 0.96).toFixed(3)}"/>` +
        `<text x="${x + cell / 2 - 1}" y="${y + cell / 2 + 4}" text-anchor="middle" font-size="14" fill="${ink}">${count}</text>`
      )
    })
  })
  const names = EMOTIONS.flatMap((name, index) => [
    `<text x="${left - 8}" y="${top + index * cell + cell / 2 + 4}" text-anchor="end" font-size="13" fill="${INK}">${name}</text>`,
    `<text transform="translate(${left + index * cell + cell / 2 + 4} ${top - 8}) rotate(-45)" font-size="13" fill="${INK}">${name}</text>`,
  ])
  const note = `<text x="16" y="${top + side + 24}" font-size="12" fill="${SOFT}">rows: label, columns: answer, number of images; depth: share of the row</text>`
  return toSvg({ width: left + side + 60, height: top + side + 40, title }, [...cells, ...names, note])
}

/** Dots on the diagonal mean that of the answers given with p, p are right. A dot's area is the share of the images. */
export function drawReliability(title: string, { reliability, ece, n }: ClassificationFigures): string {
  const side = 360
  const left = 64
  const top = 56
  const x = (value: number): string => (left + value * side).toFixed(1)
  const y = (value: number): string => (top + (1 - value) * side).toFixed(1)
  const grid = [0, 0.25, 0.5, 0.75, 1].flatMap((value) => [
    `<path d="M${x(value)} ${y(0)}V${y(1)}M${x(0)} ${y(value)}H${x(1)}" stroke="#e3e7ec"/>`,
    `<text x="${x(value)}" y="${top + side + 18}" text-anchor="middle" font-size="12" fill="${SOFT}">${value}</text>`,
    `<text x="${left - 8}" y="${Number(y(value)) + 4}" text-anchor="end" font-size="12" fill="${SOFT}">${value}</text>`,
  ])
  const used = reliability.filter((bin) => bin.count > 0)
  const line = used.map((bin, index) => `${index === 0 ? 'M' : 'L'}${x(bin.confidence)} ${y(bin.accuracy)}`).join('')
  const dots = used.map((bin) => {
    const radius = Math.max(2.5, 26 * Math.sqrt(bin.count / n))
    return `<circle cx="${x(bin.confidence)}" cy="${y(bin.accuracy)}" r="${radius.toFixed(1)}" fill="${ACCENT}" fill-opacity="0.35" stroke="${ACCENT}"/>`
  })
  const body = [
    ...grid,
    `<path d="M${x(0)} ${y(0)}L${x(1)} ${y(1)}" stroke="${SOFT}" stroke-dasharray="5 4"/>`,
    `<path d="${line}" fill="none" stroke="${ACCENT}" stroke-width="1.5"/>`,
    ...dots,
    `<text x="${left + side / 2}" y="${top + side + 42}" text-anchor="middle" font-size="13" fill="${INK}">confidence</text>`,
    `<text transform="translate(18 ${top + side / 2}) rotate(-90)" text-anchor="middle" font-size="13" fill="${INK}">share of right answers</text>`,
    `<text x="${left + side - 8}" y="${top + side - 10}" text-anchor="end" font-size="13" fill="${INK}">calibration error ${(ece * 100).toFixed(1)} %, ${n} images</text>`,
  ]
  return toSvg({ width: left + side + 40, height: top + side + 60, title }, body)
}

function toSvg(frame: { readonly width: number; readonly height: number; readonly title: string }, body: readonly string[]): string {
  const { width, height, title } = frame
  const heading = `<text x="16" y="28" font-size="16" font-weight="600" fill="${INK}">${escapeText(title)}</text>`
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" ${FONT}>\n` +
    `<title>${escapeText(title)}</title>\n${[BACK, heading, ...body].join('\n')}\n</svg>\n`
  )
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
