import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { readModelCard } from './model-card.ts'

const FILE = new URL('../../public/models/emotion.json', import.meta.url)

describe('the card of a network', () => {
  it('[MC1] the network that ships gives every figure of the card, with intervals around them', async () => {
    const card = readModelCard(JSON.parse(await readFile(FILE, 'utf8')))
    if (card === undefined) throw new Error('emotion.json is no manifest')
    expect(card.classes).toHaveLength(8)
    expect(card.classes.reduce((sum, { images }) => sum + images, 0)).toBe(card.images)
    for (const { value, low, high } of [card.accuracy, card.accuracyAlone, ...card.classes].map(
      (share) => share ?? { value: Number.NaN },
    )) {
      expect(low).toBeLessThan(value)
      expect(high).toBeGreaterThan(value)
    }
    expect(card.calibrationError?.value).toBeGreaterThan(0)
    expect(card.certain?.precision).toBe(0.95)
    expect(card.weakest).toContain('contempt')
    expect(card.weakest).not.toContain('happiness')
    expect(card.lineage).toContain('FER+')
  })

  it('[MC2] a network whose manifest gives no figures still has a card', async () => {
    const manifest: unknown = JSON.parse(await readFile(FILE, 'utf8'))
    const card = readModelCard({ ...Object(manifest), name: 'other', figures: { anything: 1 } })
    expect(card).toMatchObject({ network: expect.stringMatching(/^other@/), classes: [], weakest: [] })
    expect(card).not.toHaveProperty('accuracy')
  })

  it('[MC3] what is no manifest has none', () => {
    expect(readModelCard({ name: 'x' })).toBeUndefined()
    expect(readModelCard(null)).toBeUndefined()
  })
})
