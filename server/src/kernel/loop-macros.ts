/** Which arguments of the kernel's loop macros the loop sets in each turn: its cursors. */

/**
 * The names of a family, and the positions of its cursors. `safe` is that of the second cursor that
 * the `_safe` form of it has.
 */
interface LoopFamily {
  readonly names: RegExp;
  readonly cursors: readonly number[];
  readonly safe?: number;
}

/** From include/linux of 6.12; the first family that fits counts. */
const FAMILIES: readonly LoopFamily[] = [
  // The container stands in front of the cursor.
  {
    names: /^(?:hash_for_each_safe|idr_for_each_entry_(?:continue_)?ul)$/,
    cursors: [1, 2, 3],
  },
  { names: /^(?:hash_for_each_possible|xas_for_each)/, cursors: [1], safe: 2 },
  { names: /^(?:idr|xa|xas|hash)_for_each/, cursors: [1, 2] },
  { names: /^radix_tree_for_each_slot$/, cursors: [0, 2] },
  { names: /^for_each_(?:sg|sgtable_sg|sgtable_dma_sg)$/, cursors: [1, 2, 3] },
  { names: /^for_each_netdev(?:_rcu|_reverse|_continue)?$/, cursors: [1] },
  { names: /^for_each_netdev_safe$/, cursors: [1, 2] },
  { names: /^for_each_(?:available_|enabled_)?child_of_node(?:_scoped)?$/, cursors: [1] },
  { names: /^(?:device|fwnode)_for_each_(?:available_)?child_node(?:_scoped)?$/, cursors: [1] },
  { names: /^fwnode_for_each_parent_node$/, cursors: [1] },
  { names: /^pci_for_each_dma_alias$/, cursors: [] },
  // The cursor comes first.
  {
    names: /^(?:list|hlist|hlist_nulls|hlist_bl|llist|plist|klist|rbtree_postorder)_for_each/,
    cursors: [0],
    safe: 1,
  },
  { names: /^for_each_(?:set|clear)_bit/, cursors: [0] },
  { names: /^for_each_(?:set|clear)_bitrange/, cursors: [0, 1] },
  { names: /^for_each_(?:possible|online|present|active)_cpu$/, cursors: [0] },
  { names: /^for_each_cpu/, cursors: [0] },
  { names: /^for_each_(?:node|online_node|node_state|node_mask|node_with_cpus)$/, cursors: [0] },
  { names: /^for_each_pci_(?:dev|bridge)$/, cursors: [0] },
  { names: /^for_each_(?:matching_)?node(?:_by_name|_by_type|_and_match)?$/, cursors: [0] },
];

/**
 * The zero-based positions of the arguments that the loop macro `name` sets; undefined when the
 * kernel has no such macro.
 */
export function loopCursors(name: string): readonly number[] | undefined {
  const family = FAMILIES.find((one) => one.names.test(name));
  if (!family) return undefined;
  return family.safe !== undefined && /_safe/.test(name)
    ? [...family.cursors, family.safe]
    : family.cursors;
}
