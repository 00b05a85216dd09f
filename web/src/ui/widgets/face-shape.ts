/**
 * The little face that mirrors a reading: nine numbers per expression, mixed by probability, turned into path data. Pure maths;
 * drawing is left to `EmotionFace.svelte`. Coordinates are those of a 100 x 100 view box.
 */
import { EMOTIONS, type EmotionName } from '#shared/model/emotions'

interface Features {
  /** Brows up (1) or down (-1). */
  readonly browLift: number
  /** Inner ends of the brows up (1, worried) or down (-1, angry). */
  readonly browTilt: number
  /** 1 is at rest. */
  readonly eyeOpen: number
  /** Corners of the mouth up (1) or down (-1). */
  readonly mouthCurve: number
  /** 0 closed, 1 wide open. */
  readonly mouthOpen: number
  /** 1 is at rest. */
  readonly mouthWidth: number
  /** One corner up: 1. */
  readonly mouthSkew: number
  /** Wrinkled nose: 1. */
  readonly nose: number
}
type FeatureName = keyof Features

const FEATURES: Readonly<Record<EmotionName, Features>> = {
  neutral: { browLift: 0, browTilt: 0, eyeOpen: 1, mouthCurve: 0.06, mouthOpen: 0, mouthWidth: 0.85, mouthSkew: 0, nose: 0 },
  happiness: { browLift: 0.6, browTilt: 0.1, eyeOpen: 0.95, mouthCurve: 0.95, mouthOpen: 0.42, mouthWidth: 1.1, mouthSkew: 0, nose: 0 },
  surprise: { browLift: 1.2, browTilt: 0.1, eyeOpen: 1.5, mouthCurve: 0, mouthOpen: 1, mouthWidth: 0.5, mouthSkew: 0, nose: 0 },
  sadness: { browLift: 0.1, browTilt: 1, eyeOpen: 0.75, mouthCurve: -0.75, mouthOpen: 0, mouthWidth: 0.8, mouthSkew: 0, nose: 0 },
  anger: { browLift: -0.6, browTilt: -1.1, eyeOpen: 0.8, mouthCurve: -0.5, mouthOpen: 0, mouthWidth: 0.9, mouthSkew: 0, nose: 0.2 },
  disgust: { browLift: -0.4, browTilt: -0.5, eyeOpen: 0.5, mouthCurve: -0.6, mouthOpen: 0.2, mouthWidth: 0.8, mouthSkew: 0.35, nose: 1 },
  fear: { browLift: 0.9, browTilt: 0.9, eyeOpen: 1.35, mouthCurve: -0.4, mouthOpen: 0.5, mouthWidth: 0.85, mouthSkew: 0, nose: 0 },
  contempt: { browLift: 0, browTilt: -0.2, eyeOpen: 0.65, mouthCurve: 0.12, mouthOpen: 0, mouthWidth: 0.8, mouthSkew: 1, nose: 0 },
}

/** Smaller changes of a probability than 1 in so many do not move the face: what stands still costs no painting. */
const STEPS = 50

export interface FaceShape {
  readonly leftBrow: string
  readonly rightBrow: string
  readonly eyeRadius: number
  readonly mouth: string
  /** Opacity of the wrinkles beside the nose. */
  readonly nose: number
}

/** The pure expression. */
export function shapeOf(emotion: EmotionName): FaceShape {
  return toShape(FEATURES[emotion])
}

/**
 * A mix of expressions. Probabilities are sharpened first, or every face would look half neutral.
 * @param probabilities in the order of `EMOTIONS`.
 */
export function shapeOfMix(probabilities: readonly number[]): FaceShape {
  const weights = EMOTIONS.map((_, index) => roundTo(probabilities[index] ?? 0, STEPS) ** 1.5)
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  if (total === 0) return shapeOf('neutral')
  const mix = (name: FeatureName): number =>
    EMOTIONS.reduce((sum, emotion, index) => sum + (FEATURES[emotion][name] * (weights[index] ?? 0)) / total, 0)
  return toShape({
    browLift: mix('browLift'),
    browTilt: mix('browTilt'),
    eyeOpen: mix('eyeOpen'),
    mouthCurve: mix('mouthCurve'),
    mouthOpen: mix('mouthOpen'),
    mouthWidth: mix('mouthWidth'),
    mouthSkew: mix('mouthSkew'),
    nose: mix('nose'),
  })
}

function toShape(features: Features): FaceShape {
  const browY = 34 - features.browLift * 6
  const outerY = browY + features.browTilt * 3.5
  const innerY = browY - features.browTilt * 6
  const archY = (outerY + innerY) / 2 - 4
  return {
    leftBrow: `M25 ${round(outerY)}Q33 ${round(archY)} 42 ${round(innerY)}`,
    rightBrow: `M75 ${round(outerY - features.mouthSkew * 4)}Q67 ${round(archY - features.mouthSkew * 4)} 58 ${round(innerY - features.mouthSkew * 2)}`,
    eyeRadius: round(4.6 * features.eyeOpen),
    mouth: toMouth(features),
    nose: round(features.nose),
  }
}

/** Always the same two curves, so that a browser can glide from one mouth to the next. */
function toMouth(features: Features): string {
  const half = 19 * features.mouthWidth
  const leftY = 70 - features.mouthCurve * 6 + features.mouthSkew * 2
  const rightY = 70 - features.mouthCurve * 6 - features.mouthSkew * 7
  const middle = 70 + features.mouthCurve * 13
  const upper = middle - features.mouthOpen * 11
  const lower = middle + features.mouthOpen * 15
  const [left, right] = [round(50 - half), round(50 + half)]
  return `M${left} ${round(leftY)}Q50 ${round(upper)} ${right} ${round(rightY)}Q50 ${round(lower)} ${left} ${round(leftY)}Z`
}

function round(value: number): number {
  return roundTo(value, 100)
}

function roundTo(value: number, steps: number): number {
  return Math.round(value * steps) / steps
}
