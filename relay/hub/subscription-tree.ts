/**
 * Who hears a topic. Filters stand in a tree of levels, so that finding the receivers costs by the topic's levels and not by the number
 * of filters; what was found is remembered until a subscription that concerns it changes. A peer that matches twice is found once.
 */
import { ANY_LEVEL, ANY_LEVELS, hasWildcard, matchesTopic } from '#shared/protocol/topic-filter'
import type { Peer } from '../ports.ts'

export interface SubscriptionTree {
  /** Subscribing twice is harmless. Levels are parsed before. */
  add(filterLevels: readonly string[], peer: Peer): void
  remove(filterLevels: readonly string[], peer: Peer): void
  /** Do not keep the array: it belongs to the tree. */
  find(topic: string): readonly Peer[]
  /** Nodes with their root, for tests of growth: 1 when empty. */
  size(): number
}

interface Node {
  readonly children: Map<string, Node>
  readonly peers: Set<Peer>
}

interface Route {
  readonly levels: readonly string[]
  readonly peers: readonly Peer[]
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
    add(filterLevels, peer) {
      let node = root
      for (const level of filterLevels) node = openChild(node, level)
      node.peers.add(peer)
      forget(filterLevels)
    },
    remove(filterLevels, peer) {
      removeAt(root, { filterLevels, depth: 0, peer })
      forget(filterLevels)
    },
    find(topic) {
      const known = routes.get(topic)
      if (known !== undefined) return known.peers
      const levels = topic.split('/')
      const found = new Set<Peer>()
      collect(root, { levels, depth: 0, found })
      if (routes.size >= maxCachedRoutes) routes.clear()
      const peers = [...found]
      routes.set(topic, { levels, peers })
      return peers
    },
    size: () => countNodes(root),
  }
}

function createNode(): Node {
  return { children: new Map(), peers: new Set() }
}

function openChild(node: Node, level: string): Node {
  const known = node.children.get(level)
  if (known !== undefined) return known
  const made = createNode()
  node.children.set(level, made)
  return made
}

/** @returns whether the node has become empty, so that the parent lets go of it. */
function removeAt(node: Node, task: { filterLevels: readonly string[]; depth: number; peer: Peer }): boolean {
  const level = task.filterLevels[task.depth]
  if (level === undefined) {
    node.peers.delete(task.peer)
  } else {
    const child = node.children.get(level)
    if (child !== undefined && removeAt(child, { ...task, depth: task.depth + 1 })) node.children.delete(level)
  }
  return node.peers.size === 0 && node.children.size === 0
}

function collect(node: Node, task: { levels: readonly string[]; depth: number; found: Set<Peer> }): void {
  const level = task.levels[task.depth]
  if (level === undefined) {
    for (const peer of node.peers) task.found.add(peer)
    return
  }
  for (const peer of node.children.get(ANY_LEVELS)?.peers ?? []) task.found.add(peer)
  for (const name of [level, ANY_LEVEL]) {
    const child = node.children.get(name)
    if (child !== undefined) collect(child, { ...task, depth: task.depth + 1 })
  }
}

function countNodes(node: Node): number {
  let count = 1
  for (const child of node.children.values()) count += countNodes(child)
  return count
}
