/** What the roles may do where the operator's policy says nothing else: derived from who publishes what in the catalog of topics. */
import { TOPIC_TABLE } from '#shared/generated/topic-table'
import type { Publisher } from '#shared/protocol/topics'
import { parsePolicyText, type PolicyRules } from './policy-file.ts'

/** Narrower than the catalog: a station speaks for itself only. */
const OWN_TOPICS: ReadonlyMap<string, string> = new Map(
  ['emotion', 'history', 'totals', 'consent'].map((root) => [`${root}/+`, `${root}/{station}`]),
)

/** As the file an operator would write; a place to start from. */
export const BUILT_IN_POLICY: string = write({
  roles: {
    viewer: { subscribe: ['#'], request: ['relay', 'machines', 'vision', 'assistant'] },
    station: { extends: 'viewer', publish: topicsOf('station'), request: ['peer/+', 'process/#', 'agents'] },
    operator: { extends: 'station', subscribe: ['$relay/presence'], publish: topicsOf('operator'), request: ['machine/#', 'processes'] },
    admin: { extends: 'operator', subscribe: ['$relay/#'], publish: ['#'], request: ['#'] },
  },
})

/** `BUILT_IN_POLICY`, read. */
export function builtInRules(): PolicyRules {
  const parsed = parsePolicyText(BUILT_IN_POLICY)
  if (!parsed.ok) throw new Error(parsed.mistakes.join(' '))
  return parsed.rules
}

function topicsOf(publisher: Publisher): readonly string[] {
  return Object.values(TOPIC_TABLE)
    .filter(({ publishers }) => publishers.includes(publisher))
    .map(({ filter }) => OWN_TOPICS.get(filter) ?? filter)
}

/** JSON with each list on one line. */
function write(policy: object): string {
  const indented = JSON.stringify(policy, undefined, 2)
  return `${indented.replace(/\[\s+([^[\]]*?)\s+\]/g, (_, items: string) => `[${items.replace(/\s*\n\s*/g, ' ')}]`)}\n`
}
