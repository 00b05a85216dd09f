/**
 * A carousel behind a real OPC UA server, its nodes named as `OPCUA_LAYOUT` says; `misbehave` has it say things that no sound server says. Leaves what the
 * machine does to the simulated carousel behind it, the protocol to node-opcua-server, a pulled cable to whoever holds one.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type * as Client from 'node-opcua-client'
import type { DataValue, Variant } from 'node-opcua-client'
import type { OPCUAServer, ServerSession } from 'node-opcua-server'
import type { PlcCommand, PlcDriver } from '../../ports.ts'

/** A machines file for it: `options` of the driver opcua. */
export const OPCUA_LAYOUT = {
  tags: { status: { at: 'ns=1;s=Carousel.Status' }, position: { at: 'ns=1;s=Carousel.Position' } },
  commands: {
    move: [
      { at: 'ns=1;s=Carousel.Target', value: 'target' },
      { at: 'ns=1;s=Carousel.Move', value: true },
    ],
    stop: [{ at: 'ns=1;s=Carousel.Stop', value: true }],
    reset: [{ at: 'ns=1;s=Carousel.Reset', value: true }],
    calibrate: [{ at: 'ns=1;s=Carousel.Calibrate', value: true }],
  },
} as const

const COMMANDS: Readonly<Record<string, (target: number) => PlcCommand>> = {
  Move: (position) => ({ kind: 'move', position }),
  Stop: () => ({ kind: 'stop' }),
  Reset: () => ({ kind: 'reset' }),
  Calibrate: () => ({ kind: 'calibrate' }),
}
const SAMPLING_MS = 50
const MAX_CLIENTS = 32

/** What it says of the position in place of the truth; undefined: the truth. */
export type OpcuaNonsense = 'uncertain' | 'bad' | 'text' | 'list' | 'beyond' | 'notANumber'

export interface OpcuaSimulator {
  /** @returns the port. Rejects where it cannot be had, and says how to get the server where that is not installed. */
  start(address: { readonly host: string; readonly port: number }): Promise<number>
  misbehave(nonsense: OpcuaNonsense | undefined): void
  /** As if it had been restarted behind a connection that stayed. */
  forgetSessions(): void
  sessions(): number
  /** How often it was asked for values, by whomever. */
  questions(): number
  /** Twice is harmless. */
  stop(): Promise<void>
}

export function createOpcuaSimulator(machine: PlcDriver): OpcuaSimulator {
  const sessions = new Set<ServerSession>()
  let server: OPCUAServer | undefined
  let folder: string | undefined
  let nonsense: OpcuaNonsense | undefined
  let target = 0
  let questions = 0

  async function build(host: string, port: number, rootFolder: string): Promise<OPCUAServer> {
    const { client, certificates, OPCUAServer: Server } = await loadServer()
    client.setLogLevel(client.LogLevel.Emergency)
    const store = new certificates.OPCUACertificateManager({ rootFolder, disableFileWatchers: true })
    const made = new Server({
      ...{ host, port, resourcePath: '', allowAnonymous: true, disableDiscovery: false, maxConnectionsPerEndpoint: MAX_CLIENTS },
      securityModes: [client.MessageSecurityMode.None],
      securityPolicies: [client.SecurityPolicy.None],
      buildInfo: { productName: 'Simulated carousel', manufacturerName: 'Semblante' },
      serverCertificateManager: store,
      userCertificateManager: store,
    })
    made.on('create_session', (session) => sessions.add(session))
    made.on('session_closed', (session) => sessions.delete(session))
    made.on('request', (request) => {
      if (request instanceof client.ReadRequest) questions += 1
    })
    await made.initialize()
    addNodes(made, client)
    return made
  }
  function addNodes(made: OPCUAServer, { DataValue, DataType, StatusCodes, Variant, VariantArrayType }: ClientLibrary): void {
    const space = made.engine.addressSpace
    if (space === null) throw new Error('the server has no address space')
    const namespace = space.getOwnNamespace()
    const carousel = namespace.addObject({ organizedBy: space.rootFolder.objects, browseName: 'Carousel' })
    const add = (name: string, dataType: string, value: Reader & { readonly timestamped_set?: Writer }): void => {
      const nodeId = `s=Carousel.${name}`
      namespace.addVariable({ componentOf: carousel, browseName: name, nodeId, dataType, minimumSamplingInterval: SAMPLING_MS, value })
    }
    const now = (variant: Variant): DataValue =>
      new DataValue({ value: variant, sourceTimestamp: new Date(), statusCode: StatusCodes.Good })
    const look = (what: 'raw' | 'position', dataType: 'Byte' | 'Int16') => async (): Promise<DataValue> => {
      const read = await machine.read()
      if (!read.ok) return new DataValue({ statusCode: StatusCodes.BadNoCommunication })
      const variant = new Variant({ dataType, value: read.reading[what] ?? 0 })
      return what === 'raw' || nonsense === undefined ? now(variant) : lie(nonsense, variant)
    }
    const lie = (kind: OpcuaNonsense, variant: Variant): DataValue => {
      if (kind === 'uncertain') return new DataValue({ value: variant, statusCode: StatusCodes.UncertainLastUsableValue })
      if (kind === 'bad') return new DataValue({ value: variant, statusCode: StatusCodes.BadSensorFailure })
      if (kind === 'text') return now(new Variant({ dataType: DataType.String, value: '3' }))
      if (kind === 'list') return now(new Variant({ dataType: DataType.Int16, arrayType: VariantArrayType.Array, value: [1, 2] }))
      return now(new Variant({ dataType: DataType.Double, value: kind === 'beyond' ? 12_345 : Number.NaN }))
    }
    add('Status', 'Byte', { timestamped_get: look('raw', 'Byte') })
    add('Position', 'Number', { timestamped_get: look('position', 'Int16') })
    add('Target', 'Int16', {
      timestamped_get: () => now(new Variant({ dataType: DataType.Int16, value: target })),
      timestamped_set(given) {
        target = Number(given.value.value)
        return Promise.resolve(StatusCodes.Good)
      },
    })
    for (const [name, toCommand] of Object.entries(COMMANDS)) {
      add(name, 'Boolean', {
        timestamped_get: () => now(new Variant({ dataType: DataType.Boolean, value: false })),
        async timestamped_set(given) {
          if (given.value.value === true) await machine.write(toCommand(target))
          return StatusCodes.Good
        },
      })
    }
  }
  return {
    async start({ host, port }) {
      await machine.start()
      folder = await mkdtemp(join(tmpdir(), 'carousel-certificates-'))
      const made = await build(host, port, folder)
      server = made
      await made.start()
      return made.endpoints[0]?.port ?? port
    },
    misbehave(wanted) {
      nonsense = wanted
    },
    forgetSessions() {
      for (const { authenticationToken } of sessions) server?.engine.closeSession(authenticationToken, true, 'Forcing')
    },
    sessions: () => sessions.size,
    questions: () => questions,
    async stop() {
      const [closing, emptied] = [server, folder]
      server = undefined
      folder = undefined
      await closing?.shutdown(0)
      if (emptied !== undefined) await rm(emptied, { recursive: true, force: true })
      await machine.stop()
    },
  }
}

type ClientLibrary = typeof Client
interface Reader {
  readonly timestamped_get: () => DataValue | Promise<DataValue>
}
type Writer = (value: DataValue) => Promise<StatusCodeOf>
type StatusCodeOf = ClientLibrary['StatusCodes']['Good']

const MISSING =
  'The simulated OPC UA server needs packages that are not installed: npm install --save-dev node-opcua-server@~2.182.0 node-opcua-certificate-manager@~2.182.0'

async function loadServer() {
  try {
    const [client, certificates, { OPCUAServer }] = await Promise.all([
      import('node-opcua-client'),
      import('node-opcua-certificate-manager'),
      import('node-opcua-server'),
    ])
    return { client, certificates, OPCUAServer }
  } catch (error) {
    throw new Error(MISSING, { cause: error })
  }
}
