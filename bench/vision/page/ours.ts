/** Our pipeline as it ships: client, transfer, worker. */
import type { FrameAnalysis } from '../../../web/src/vision/vision-api.ts'
import { createVisionClient } from '../../../web/src/vision/vision-client.ts'
import type { Mode } from '../duel.ts'
import type { Contestant } from './contestants.ts'

export async function openOurs(mode: Mode): Promise<Contestant> {
  const client = createVisionClient({
    modelsUrl: '/models/',
    runtimeUrl: '/ort/',
    maxFaces: 4,
    ...(mode === 'scratch' ? { findEveryMs: 0 } : {}),
  })
  let answer: ((analysis: FrameAnalysis) => void) | null = null
  client.onAnalysis((analysis) => answer?.(analysis))
  await new Promise<void>((resolve, reject) => {
    client.onStateChange((state) => {
      if (state.kind === 'ready') resolve()
      if (state.kind === 'failed') reject(state.error)
    })
    client.open()
  })
  return {
    async analyse(frame, time) {
      const analysis = await new Promise<FrameAnalysis>((resolve) => {
        answer = resolve
        client.submit(frame, time)
      })
      const [face] = analysis.faces
      return {
        faces: analysis.faces.length,
        emotion: face?.emotion ?? '',
        confidence: face?.confidence ?? 0,
        left: face?.box.x ?? 0,
        right: (face?.box.x ?? 0) + (face?.box.width ?? 0),
        stages: { ...analysis.stages, [analysis.search]: 1 },
      }
    },
    close() {
      client.close()
    },
  }
}
