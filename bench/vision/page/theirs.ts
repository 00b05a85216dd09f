/** `@vladmandic/human` as it ships, reduced to what ours does. */
import { Human } from '@vladmandic/human'
import type { Mode } from '../duel.ts'
import type { Contestant } from './contestants.ts'

/** Detector and emotion only, on wasm, one thread; all else as it ships. */
export async function openTheirs(mode: Mode): Promise<Contestant> {
  const always = mode === 'scratch' ? { skipFrames: 0, skipTime: 0 } : {}
  const human = new Human({
    backend: 'wasm',
    wasmPath: '/tfjs/',
    modelBasePath: '/human/',
    warmup: 'none',
    ...(mode === 'scratch' ? { cacheSensitivity: 0 } : {}),
    face: {
      enabled: true,
      detector: { ...always },
      mesh: { enabled: false },
      iris: { enabled: false },
      attention: { enabled: false },
      description: { enabled: false },
      antispoof: { enabled: false },
      liveness: { enabled: false },
      emotion: { enabled: true, ...always },
    },
    body: { enabled: false },
    hand: { enabled: false },
    object: { enabled: false },
    segmentation: { enabled: false },
    gesture: { enabled: false },
  })
  // Without this it would start threads; and the build for threads is slower on one than the build without.
  const engine: unknown = human.tf
  if (!isTensorFlow(engine)) throw new Error('human.tf has no flags any more')
  engine.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false)
  await human.load()
  return {
    async analyse(frame) {
      const { face, performance: stages } = await human.detect(frame)
      const width = frame.width
      frame.close()
      const [first] = face
      const [leading] = [...(first?.emotion ?? [])].sort((a, b) => b.score - a.score)
      const [x = 0, , boxWidth = 0] = first?.box ?? []
      return {
        faces: face.length,
        emotion: leading?.emotion ?? '',
        confidence: leading?.score ?? 0,
        left: x / width,
        right: (x + boxWidth) / width,
        stages: { ...stages },
      }
    },
    close() {
      // Its memory goes with the page.
    },
  }
}

interface TensorFlow {
  env(): { set(flag: string, value: boolean): void }
}

function isTensorFlow(value: unknown): value is TensorFlow {
  return typeof value === 'object' && value !== null && 'env' in value && typeof value.env === 'function'
}
