/** Who takes part, in the order of the tables. */
import type { Contestant } from '../contestant.ts'
import { mosquitto } from './mosquitto.ts'
import { nats } from './nats.ts'
import { semblante, semblanteTopic, semblanteWs } from './semblante.ts'
import { socketIo } from './socket-io.ts'
import { uwsLong, uwsLoop, uwsPublish } from './uws.ts'
import { ws } from './ws.ts'

export const ROSTER: readonly Contestant[] = [
  uwsPublish,
  uwsLong,
  uwsLoop,
  semblante,
  semblanteTopic,
  semblanteWs,
  ws,
  socketIo,
  nats,
  mosquitto,
]

export function findContestant(name: string): Contestant | undefined {
  return ROSTER.find((contestant) => contestant.name === name)
}
