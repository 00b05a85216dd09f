/** What `run.ts` calls in the page: one cold start, or the duel of both pipelines on the same film, in alternating blocks. */
import type { ColdResult, DuelOptions, DuelResult, Mode, Who } from '../duel.ts'
import type { Contestant } from './contestants.ts'
import { createFilm, FRAME_MS } from './film.ts'

const PHOTO_URL = '/photo.jpg'

async function openContestant(who: Who, mode: Mode): Promise<Contestant> {
  // Loaded only when needed, so that a cold start pays for its own code.
  return who === 'ours' ? (await import('./ours.ts')).openOurs(mode) : (await import('./theirs.ts')).openTheirs(mode)
}

async function duel({ mode, motion, blocks, framesPerBlock }: DuelOptions): Promise<DuelResult> {
  const film = await createFilm(PHOTO_URL, motion)
  const contestants = { ours: await openContestant('ours', mode), theirs: await openContestant('theirs', mode) }
  const sides: DuelResult = { ours: { times: [], outcomes: [] }, theirs: { times: [], outcomes: [] } }
  for (let block = 0; block < blocks + 1; block += 1) {
    // Who begins changes, so that neither always runs on the warmer machine.
    const order = block % 2 === 0 ? (['ours', 'theirs'] as const) : (['theirs', 'ours'] as const)
    for (const who of order) {
      for (let step = 0; step < framesPerBlock; step += 1) {
        const index = block * framesPerBlock + step
        const frame = await film.frame(index)
        const startedAt = performance.now()
        const outcome = await contestants[who].analyse(frame, Math.round(index * FRAME_MS))
        const elapsed = performance.now() - startedAt
        if (block === 0) continue
        sides[who].times.push(elapsed)
        sides[who].outcomes.push(outcome)
      }
    }
  }
  contestants.ours.close()
  contestants.theirs.close()
  return sides
}

async function coldStart(who: Who): Promise<ColdResult> {
  const film = await createFilm(PHOTO_URL, 'swaying')
  const contestant = await openContestant(who, 'shipped')
  for (let index = 0; index < 30; index += 1) {
    const outcome = await contestant.analyse(await film.frame(index), Math.round(index * FRAME_MS))
    if (outcome.faces > 0 && outcome.emotion !== '') return { firstReadingMs: performance.now(), outcome }
  }
  throw new Error(`${who} found no face in 30 frames`)
}

Object.assign(window, { bench: { duel, coldStart } })
