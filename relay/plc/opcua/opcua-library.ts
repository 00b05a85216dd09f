/** THE place where node-opcua is loaded: when a connection is first opened, because it is large and need not be installed. */
import { hostname } from 'node:os'
import type * as Client from 'node-opcua-client'
import type * as Common from 'node-opcua-common'

/** What one driver keeps of it. */
export interface OpcuaLibrary {
  readonly client: typeof Client
  /** Names this client to servers. Lives in memory; nothing is encrypted or signed with it. */
  readonly identity: Common.InMemoryCertificateKeyPairProvider
}

const APPLICATION = 'Semblante'
const MISSING = 'needs a package that is not installed: npm install node-opcua-client@~2.182.0 node-opcua-common@~2.182.0, then start again'

/** @throws Error with a text for the operator. */
export async function loadOpcua(): Promise<OpcuaLibrary> {
  const [client, common] = await importBoth()
  // It writes to the console by itself. What goes wrong is told by what its calls answer.
  client.setLogLevel(client.LogLevel.Emergency)
  const identity = new common.InMemoryCertificateKeyPairProvider()
  const host = hostname()
  await identity.ensureCertificateExists({
    applicationUri: client.makeApplicationUrn(host, APPLICATION),
    subject: `/CN=${APPLICATION}`,
    dns: [host],
  })
  return { client, identity }
}

async function importBoth(): Promise<readonly [typeof Client, typeof Common]> {
  try {
    return await Promise.all([import('node-opcua-client'), import('node-opcua-common')])
  } catch (error) {
    throw new Error(MISSING, { cause: error })
  }
}
