/**
 * Who hears a topic. Filters stand in a tree of levels, so that finding the receivers costs by the topic's levels and not by the number
 * of filters; what was found is remembered until a subscription that concerns it changes. A receiver that matches twice is found once.
 */
import { ANY_LEVEL, ANY_LEVELS, hasWildcard, isOwnTopic, matchesTopic } from '#shared/protocol/topic-filter'
import type { Publication } from '../ports.ts'

/** Whoever hears publications: one session, or a group of sessions that hear the same. */
export interface Receiver {
  /** Must not throw and must not call the hub back before it returns. */
  receive(publication: Publication): void
  /** How many readers stand behind it. */
  readonly size: number
}

export interface SubscriptionTree {
  /** Subscribing twice is harmless. Levels are parsed before. */
  add(filterLevels: readonly string[], receiver: Receiver): void
  remove(filterLevels: readonly string[], receiver: Receiver): void
  /** Do not keep the array: it belongs to the tree. */
  find(topic: string): readonly Receiver[]
  /** Nodes with their root, for tests of growth: 1 when empty. */
  size(): number
}

interface Node {
  readonly children: Map<string, Node>
  readonly receivers: Set<Receiver>
}

interface Route {
  readonly levels: readonly string[]
  readonly receivers: readonly Receiver[]
}

export function createSubscriptionTree(maxCachedRoutes: number): SubscriptionTree {
  const root = createNode()
  const routes = new Map<string, Route>()

  function forget(filterLevels: readonly string[]): void {
    if (!hasWildcard(filterLevels)) {
      routes.delete(filterLevels.join('/'))
      return
    }
    for (const [topic, route] of routes) {
      if (matchesTopic(filterLevels, route.levels)) routes.delete(topic)
    }
  }
  return {
    add(filterLevels, receiver) {
      let node = root
      for (const level of filterLevels) node = openChild(node, level)
      node.receivers.add(receiver)
      forget(filterLevels)
    },
    remove(filterLevels, receiver) {
      removeAt(root, { filterLevels, depth: 0, receiver })
      forget(filterLevels)
    },
    find(topic) {
      const known = routes.get(topic)
      if (known !== undefined) return known.receivers
      const levels = topic.split('/')
      const found = new Set<Receiver>()
      collect(root, { levels, depth: 0, found })
      if (routes.size >= maxCachedRoutes) routes.clear()
      const receivers = [...found]
      routes.set(topic, { levels, receivers })
      return receivers
    },
    size: () => countNodes(root),
  }
}

function createNode(): Node {
  return { children: new Map(), receivers: new Set() }
}

function openChild(node: Node, level: string): Node {
  const known = node.children.get(level)
  if (known !== undefined) return known
  const made = createNode()
  node.children.set(level, made)
  return made
}

/** @returns whether the node has become empty, so that the parent lets go of it. */
function removeAt(node: Node, task: { filterLevels: readonly string[]; depth: number; receiver: Receiver }): boolean {
  const level = task.filterLevels[task.depth]
  if (level === undefined) {
    node.receivers.delete(task.receiver)
  } else {
    const child = node.children.get(level)
    if (child !== undefined && removeAt(child, { ...task, depth: task.depth + 1 })) node.children.delete(level)
  }
  return node.receivers.size === 0 && node.children.size === 0
}

function collect(node: Node, task: { levels: readonly string[]; depth: number; found: Set<Receiver> }): void {
  const level = task.levels[task.depth]
  if (level === undefined) {
    for (const receiver of node.receivers) task.found.add(receiver)
    return
  }
  const isOwn = task.depth === 0 && isOwnTopic(task.levels)
  if (!isOwn) for (const receiver of node.children.get(ANY_LEVELS)?.receivers ?? []) task.found.add(receiver)
  for (const name of isOwn ? [level] : [level, ANY_LEVEL]) {
    const child = node.children.get(name)
    if (child !== undefined) collect(child, { ...task, depth: task.depth + 1 })
  }
}

function countNodes(node: Node): number {
  let count = 1
  for (const child of node.children.values()) count += countNodes(child)
  return count
}
