/**
 * The film both contestants see: the portrait moving about in a camera's picture, the same frame for the same number. Every frame is a
 * fresh bitmap made before the clock starts; who gets it owns it.
 */
import type { Motion } from '../duel.ts'

export const FRAME_WIDTH = 640
export const FRAME_HEIGHT = 480
/** A camera gives a frame about this often; the film's own time. */
export const FRAME_MS = 1000 / 30

/** The portrait's size in the frame; the face is about a fifth of it wide. */
const PORTRAIT_SIZE = 460
const BACKGROUND = '#5d6670'

export interface Film {
  frame(index: number): Promise<ImageBitmap>
}

export async function createFilm(photoUrl: string, motion: Motion): Promise<Film> {
  const response = await fetch(photoUrl)
  const photo = await createImageBitmap(await response.blob())
  const canvas = new OffscreenCanvas(FRAME_WIDTH, FRAME_HEIGHT)
  const context = canvas.getContext('2d', { willReadFrequently: true, alpha: false })
  if (context === null) throw new Error('no canvas')
  return {
    frame(index) {
      // A person swaying: 100 pixels to either side within four seconds, a little up and down and back and forth.
      const turn = motion === 'still' ? 0 : (index * FRAME_MS * 2 * Math.PI) / 4000
      const size = PORTRAIT_SIZE * (1 + 0.05 * Math.sin(turn * 1.3))
      const x = (FRAME_WIDTH - size) / 2 + 100 * Math.sin(turn)
      const y = FRAME_HEIGHT - size + 15 * Math.sin(turn * 2)
      context.fillStyle = BACKGROUND
      context.fillRect(0, 0, FRAME_WIDTH, FRAME_HEIGHT)
      context.drawImage(photo, x, y, size, size)
      return createImageBitmap(canvas)
    },
  }
}
