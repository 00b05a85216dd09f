/**
 * The life of one command: written down, handed over once, seen to be obeyed, watched to its end. It succeeds when the machine was read back
 * moving or in place, not when bytes were sent, and whatever happens to the wire it is never sent again. Leaves who may command, and what is in the
 * way, to the desk.
 */
import { findInterlock, type Interlock } from '#shared/model/machine-interlocks'
import { fail, succeed, type Failure, type Result } from '#shared/protocol/errors'
import type { MachineCommandEvent, MachineCommandResult, MachineStatus } from '#shared/protocol/machine'
import type { AuditEntry, AuditLog, CarouselReading, Clock } from '../../ports.ts'
import { toAuditedState } from './audited-state.ts'
import type { ParsedCommand } from './command-parsing.ts'
import type { Device, WriteEnd } from './device.ts'
import type { MachineTimes } from './machine-setup.ts'
import { refuseFor } from './refusals.ts'

export type CommandEnd = Extract<AuditEntry['state'], 'done' | 'failed' | 'timedOut' | 'superseded' | 'unknown'>

export interface CommandRun {
  readonly id: string
  readonly parsed: ParsedCommand
  readonly by: string
  readonly since: number
  /** Settles once, when the machine was seen to obey or the command has ended before. */
  begin(): Promise<Result<MachineCommandResult>>
  /** A reading begun after what was handed over before. */
  onReading(reading: CarouselReading): void
  /** From outside: something took its place, or the bridge stops. Harmless when it has ended. */
  end(state: 'superseded' | 'unknown', failure: Failure): void
}

export interface CommandOrder {
  readonly id: string
  readonly parsed: ParsedCommand
  readonly by: string
  readonly from: string
  readonly remoteAddress: string | undefined
  /** How long whoever asked waits for an answer. */
  readonly deadlineMs: number
}

export interface CommandRunDependencies {
  readonly clock: Clock
  readonly device: Pick<Device, 'write'>
  readonly audit: Pick<AuditLog, 'append'>
  readonly times: MachineTimes
  /** What people call the machine. */
  readonly name: string
  readonly readStatus: () => MachineStatus
  readonly tell: (event: MachineCommandEvent) => void
  readonly onEnd: (run: CommandRun, state: CommandEnd) => void
}

type Phase = 'writingDown' | 'handingOver' | 'confirming' | 'running' | 'ended'

/** Still beside its target for so many readings and so long: it has stopped there, and not merely between two buckets. */
const STILL_READINGS = 2
const STILL_MS = 1_500

export function createCommandRun(order: CommandOrder, dependencies: CommandRunDependencies): CommandRun {
  const { clock, device, audit, times, name, readStatus, tell, onEnd } = dependencies
  const { id, parsed, by } = order
  const since = clock.now()
  const before = readStatus()
  // Nobody waits for a late move any more; a late stop still does good.
  const handOverMs = parsed.name === 'stop' ? 2 * times.hangMs : Math.min(times.handOverMs, order.deadlineMs)
  let phase: Phase = 'writingDown'
  let seenAt = before.position
  let still: { readonly from: number; readonly readings: number } | undefined
  let cancelTimer = (): void => undefined
  let answer: (result: Result<MachineCommandResult>) => void = () => undefined

  function describeEntry(state: AuditEntry['state'], error?: string): AuditEntry {
    const { from, remoteAddress } = order
    return {
      ...{ time: clock.now(), machine: before.machine, command: id, name: parsed.name, code: parsed.code, by, from, state },
      ...(parsed.argument === undefined ? {} : { argument: parsed.argument }),
      ...(remoteAddress === undefined ? {} : { remoteAddress }),
      ...(error === undefined ? {} : { error }),
      before: toAuditedState(before),
      ...(state === 'accepted' ? {} : { after: toAuditedState(readStatus()) }),
    }
  }
  function say(state: MachineCommandEvent['state'], failure?: Failure): void {
    const { machine, position, quality } = readStatus()
    tell({
      ...{ machine, command: id, name: parsed.name, code: parsed.code, by, state, time: clock.now() },
      ...(parsed.argument === undefined ? {} : { argument: parsed.argument }),
      ...(quality === 'bad' ? {} : { position }),
      ...(failure === undefined ? {} : { error: failure.code, message: failure.message.slice(0, 512) }),
    })
  }
  function finish(state: CommandEnd, failure?: Failure): void {
    if (phase === 'ended') return
    const wasWrittenDown = phase !== 'writingDown'
    phase = 'ended'
    cancelTimer()
    if (wasWrittenDown) void audit.append(describeEntry(state, failure?.code))
    onEnd(self, state)
    say(state, failure)
    answer(failure === undefined ? succeed({ command: id, state: 'done', status: readStatus() }) : { ok: false, failure })
  }
  function finishWith(state: CommandEnd, refusal: Result<never>): void {
    if (!refusal.ok) finish(state, refusal.failure)
  }
  async function carryOut(): Promise<void> {
    const isWrittenDown = await audit.append(describeEntry('accepted'))
    if (hasEnded()) {
      // It never got as far as the machine; its line must not stay open.
      if (isWrittenDown) void audit.append(describeEntry('superseded'))
      return
    }
    // Nobody is helped by a machine that goes on because a disk is full.
    if (!isWrittenDown && parsed.name !== 'stop') {
      finishWith('failed', fail('machine.audit_failed', `The audit log cannot be written, so nothing was sent to ${name}.`))
      return
    }
    phase = 'handingOver'
    say('accepted')
    if (parsed.command === undefined || isInPlace(before)) {
      finish('done')
      return
    }
    const wantedUntil = since + handOverMs
    const end = await device.write(parsed.command, () => phase === 'handingOver' && clock.now() <= wantedUntil)
    if (!hasEnded()) afterHandOver(end)
  }
  // The compiler does not see that a phase changes while something is awaited.
  function hasEnded(): boolean {
    return phase === 'ended'
  }
  function afterHandOver(end: WriteEnd): void {
    if (!end.ok && !end.isSent) {
      const isUnknown = 'isUnsupported' in end && end.isUnsupported
      finishWith(
        'failed',
        isUnknown ? fail('machine.invalid_command', `${name} cannot do this: ${end.problem}`) : refuseFor('unreachable', name, end.problem),
      )
      return
    }
    phase = 'confirming'
    const why = end.ok ? '' : ` (${end.problem})`
    cancelTimer = clock.after(times.confirmMs, () => {
      finishWith(
        'timedOut',
        fail('machine.not_confirmed', `${name} was told, and was not seen to obey${why}. Look at it before you send more.`),
      )
    })
  }
  function isInPlace({ quality, isMoving, position, hasPositioningError }: MachineStatus): boolean {
    return parsed.name === 'move' && quality === 'good' && !isMoving && !hasPositioningError && position === parsed.argument
  }
  function obeyed(): void {
    phase = 'running'
    cancelTimer()
    const { positions } = before
    const steps = parsed.argument === undefined ? positions : Math.abs(parsed.argument - before.position)
    // The other way round may be shorter, and a machine may take the longer one.
    const limitMs = times.bucketMs * (Math.max(steps, positions - steps) + 1)
    cancelTimer = clock.after(limitMs, () => {
      finishWith(
        'timedOut',
        fail('machine.not_confirmed', `${name} has not arrived within ${String(Math.round(limitMs / 1000))} s. Look at it.`),
      )
    })
    say('running')
    answer(succeed({ command: id, state: 'running', status: readStatus() }))
  }
  function follow(reading: CarouselReading): void {
    const obstacle = parsed.name === 'move' || parsed.name === 'calibrate' ? findObstacle(reading) : undefined
    if (obstacle !== undefined) {
      finishWith('failed', refuseFor(obstacle, name))
      return
    }
    switch (parsed.name) {
      case 'move':
      case 'calibrate':
        followJourney(reading)
        return
      case 'stop':
        if (!reading.isMoving) finish('done')
        return
      case 'reset':
        if (!reading.hasAlarm && !reading.hasDriveFault && !reading.hasPositioningError) finish('done')
        return
      case 'raw':
        finish('done')
    }
  }
  function followJourney(reading: CarouselReading): void {
    const target = parsed.name === 'move' ? parsed.argument : 0
    if (!reading.isMoving && reading.position === target) {
      if (reading.hasPositioningError)
        finishWith('failed', fail('machine.alarm', `${name} stopped beside the bucket. Look at it, then send reset.`))
      else finish('done')
      return
    }
    if (phase === 'confirming') {
      seenAt = reading.position
      if (reading.isMoving) obeyed()
      return
    }
    if (reading.position !== seenAt) {
      seenAt = reading.position
      say('running')
    }
    if (reading.isMoving) still = undefined
    else stoodStill(reading)
  }
  function stoodStill({ position }: CarouselReading): void {
    still = { from: still?.from ?? clock.now(), readings: (still?.readings ?? 0) + 1 }
    if (still.readings < STILL_READINGS || clock.now() - still.from < STILL_MS) return
    if (parsed.name === 'calibrate') finish('done')
    else
      finishWith('failed', fail('machine.not_confirmed', `${name} stopped at bucket ${String(position)} (0-based), not where it was sent.`))
  }
  const self: CommandRun = {
    ...{ id, parsed, by, since },
    begin() {
      return new Promise((resolve) => {
        answer = resolve
        void carryOut()
      })
    },
    onReading(reading) {
      if (phase === 'confirming' || phase === 'running') follow(reading)
    },
    end(state, failure) {
      finish(state, failure)
    },
  }
  return self
}

/** What has come in the way since it was sent. */
function findObstacle(reading: CarouselReading): Interlock | undefined {
  return findInterlock({ ...reading, quality: 'good', isMoving: false }, 'move')
}
