/** The outlines of the signs that only the administration page needs, on the same 24 x 24 grid as the app's icons. */

export const SIGN_PATHS = {
  lock: 'M7 10.5h10A1.500 1.500 0 0 1 18.500 12v6.500A1.500 1.500 0 0 1 17 20H7a1.500 1.500 0 0 1-1.500-1.500V12A1.500 1.500 0 0 1 7 10.5ZM8.500 10.500V7.500a3.500 3.500 0 0 1 7 0v3M12 14.300v2',
  joined: 'M12 5v14M5 12h14',
  left: 'M5 12h14',
  live: 'M5 12.5l4.500 4.500L19 7.500',
  lagging: 'M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16ZM12 8v4.500l3 2',
  up: 'M12 19V5M6 11l6-6 6 6',
  down: 'M12 5v14M6 13l6 6 6-6',
  still: 'M7 7h10v10H7z',
  unknown: 'M9.300 9.300a2.800 2.800 0 1 1 4 2.600c-.9.4-1.300 1-1.300 2M12 17.200v.1',
} as const

export type SignName = keyof typeof SIGN_PATHS
