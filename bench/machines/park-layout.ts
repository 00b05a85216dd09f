/** Which machines there are in the benchmark, in the order of their ports. */
export const HEALTHY = 80
/** Each register they are asked for comes so much later. */
export const SLOW = 10
export const SLOW_MS = 600
/** They take the connection and never answer. */
export const DEAD = 10
export const POSITIONS = 12
export const POLL_MS = 250
