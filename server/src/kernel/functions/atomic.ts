/** Locks of subsystems and the inner forms of locks: from there on nothing may sleep (include/linux, 5.15 to 6.19). */
import {
  ANYTHING,
  enters,
  mayEnter,
  leaves,
  type AtomicUse,
  type FunctionRow,
  type FunctionRows,
} from './row.ts';
import { words } from '../behaviour-builders.ts';

/** Functions that do the same, and of which no table says more. */
function each(
  atomic: AtomicUse,
  names: string,
  more: Pick<FunctionRow, 'assigns'> = {},
): FunctionRows {
  return Object.fromEntries(words(names).map((name) => [name, { ...ANYTHING, atomic, ...more }]));
}

export const ATOMIC: FunctionRows = {
  ...each(
    enters('spinlock'),
    // include/linux/mm.h, hugetlb.h, memcontrol.h, memory_hotplug.h
    `pmd_lock pud_lock huge_pte_lock get_locked_pte __get_locked_pte lock_page_lruvec folio_lruvec_lock
    zone_span_writelock
    __netif_tx_lock netif_addr_lock HARD_TX_LOCK mtree_lock_nested mas_lock_nested uart_port_lock irq_gc_lock
    gpio_generic_chip_lock bh_lock_sock bh_lock_sock_nested lockref_get_or_lock lockref_put_or_lock
    _raw_spin_lock _raw_spin_lock_nested _raw_spin_lock_nest_lock _raw_read_lock _raw_write_lock
    _raw_write_lock_nested __raw_spin_lock __raw_read_lock __raw_write_lock __raw_write_lock_nested
    do_raw_spin_lock do_raw_read_lock do_raw_write_lock arch_spin_lock arch_read_lock arch_write_lock`,
  ),
  ...each(
    mayEnter('spinlock'),
    `pmd_trans_huge_lock pud_trans_huge_lock __pmd_trans_huge_lock __pud_trans_huge_lock __netif_tx_trylock
    HARD_TX_TRYLOCK xas_trylock uart_port_trylock find_lock_task_mm ns_ref_put_and_lock _atomic_dec_and_lock
    _atomic_dec_and_raw_lock _raw_spin_trylock _raw_read_trylock _raw_write_trylock __raw_spin_trylock
    __raw_read_trylock __raw_write_trylock do_raw_spin_trylock do_raw_read_trylock do_raw_write_trylock
    arch_spin_trylock arch_read_trylock arch_write_trylock`,
  ),
  ...each(
    leaves('spinlock'),
    `unlock_page_lruvec zone_span_writeunlock __netif_tx_unlock netif_addr_unlock HARD_TX_UNLOCK uart_port_unlock
    irq_gc_unlock gpio_generic_chip_unlock bh_unlock_sock raw_spin_unlock_wake _raw_spin_unlock _raw_read_unlock
    _raw_write_unlock __raw_spin_unlock __raw_read_unlock __raw_write_unlock do_raw_spin_unlock do_raw_read_unlock
    do_raw_write_unlock arch_spin_unlock arch_read_unlock arch_write_unlock`,
  ),
  ...each(
    enters('spinlock', 'interrupts'),
    `lock_page_lruvec_irq lock_page_lruvec_irqsave folio_lruvec_lock_irq folio_lruvec_lock_irqsave
    relock_page_lruvec_irqsave pgdat_resize_lock serio_pause_rx uart_port_lock_irq uart_port_lock_irqsave
    __uart_port_lock_irqsave _raw_spin_lock_irq _raw_read_lock_irq _raw_write_lock_irq __raw_spin_lock_irq
    __raw_read_lock_irq __raw_write_lock_irq __raw_spin_lock_irqsave __raw_read_lock_irqsave
    __raw_write_lock_irqsave dma_fence_lock_irqsave`,
  ),
  ...each(
    mayEnter('spinlock', 'interrupts'),
    `uart_port_trylock_irqsave __lock_task_sighand _atomic_dec_and_lock_irqsave _atomic_dec_and_raw_lock_irqsave`,
  ),
  ...each(
    leaves('spinlock', 'interrupts'),
    `unlock_page_lruvec_irq unlock_page_lruvec_irqrestore pgdat_resize_unlock serio_continue_rx uart_port_unlock_irq
    uart_port_unlock_irqrestore __uart_port_unlock_irqrestore irq_gc_unlock_irqrestore mas_unlock_irqrestore
    gpio_generic_chip_unlock_irqrestore unlock_requestor _raw_spin_unlock_irq _raw_spin_unlock_irqrestore
    _raw_read_unlock_irq _raw_read_unlock_irqrestore _raw_write_unlock_irq _raw_write_unlock_irqrestore
    __raw_spin_unlock_irq __raw_spin_unlock_irqrestore __raw_read_unlock_irq __raw_read_unlock_irqrestore
    __raw_write_unlock_irq __raw_write_unlock_irqrestore raw_spin_unlock_irq_wake raw_spin_unlock_irqrestore_wake
    dma_fence_unlock_irqrestore`,
  ),
  // Their flags are an argument that is assigned to.
  ...each(
    enters('spinlock', 'interrupts'),
    `_raw_spin_lock_irqsave _raw_read_lock_irqsave _raw_write_lock_irqsave irq_gc_lock_irqsave mas_lock_irqsave
    lock_requestor gpio_generic_chip_lock_irqsave`,
    { assigns: [1] },
  ),
  ...each(
    enters('spinlock', 'softirqs'),
    `txd_lock __netif_tx_lock_bh netif_addr_lock_bh _raw_spin_lock_bh _raw_read_lock_bh _raw_write_lock_bh
    __raw_spin_lock_bh __raw_read_lock_bh __raw_write_lock_bh`,
  ),
  ...each(mayEnter('spinlock', 'softirqs'), '_raw_spin_trylock_bh __raw_spin_trylock_bh'),
  ...each(
    leaves('spinlock', 'softirqs'),
    `txd_unlock __netif_tx_unlock_bh netif_addr_unlock_bh _raw_spin_unlock_bh _raw_read_unlock_bh
    _raw_write_unlock_bh __raw_spin_unlock_bh __raw_read_unlock_bh __raw_write_unlock_bh`,
  ),
  // The entry of a page table is mapped under RCU too, since 6.5.
  ...each(
    mayEnter('spinlock', 'rcu'),
    'pte_offset_map_lock pte_alloc_map_lock __pte_offset_map_lock',
  ),
  ...each(leaves('spinlock', 'rcu'), 'pte_unmap_unlock'),
  ...each(
    mayEnter('rcu'),
    'pte_offset_map pte_offset_map_nolock pte_offset_map_ro_nolock pte_offset_map_rw_nolock mem_cgroup_trylock_pages',
  ),
  ...each(
    enters('rcu'),
    `__rcu_read_lock rcu_read_lock_dont_migrate lock_page_memcg folio_memcg_lock rhashtable_walk_start
    rhashtable_walk_start_check`,
  ),
  ...each(
    leaves('rcu'),
    `pte_unmap __rcu_read_unlock rcu_read_unlock_migrate mem_cgroup_unlock_pages unlock_page_memcg
    folio_memcg_unlock rhashtable_walk_stop`,
  ),
  ...each(
    enters('seqlock'),
    `read_seqbegin_or_lock raw_write_seqcount_t_begin write_seqcount_t_begin write_seqcount_t_begin_nested
    do_write_seqcount_begin do_write_seqcount_begin_nested do_raw_write_seqcount_begin`,
  ),
  ...each(
    leaves('seqlock'),
    `done_seqretry raw_write_seqcount_t_end write_seqcount_t_end do_write_seqcount_end
    do_raw_write_seqcount_end`,
  ),
  ...each(
    enters('seqlock', 'interrupts'),
    '__write_seqlock_irqsave __read_seqlock_excl_irqsave read_seqbegin_or_lock_irqsave',
  ),
  ...each(leaves('seqlock', 'interrupts'), 'done_seqretry_irqrestore'),
  ...each(
    enters('preemption'),
    `__preempt_count_inc preempt_count_inc preempt_count_add __preempt_count_add preempt_disable_nested
    part_stat_lock jbd_lock_bh_journal_head jbd_lock_bh_state folio_lock_large_mapcount kernel_fpu_begin
    kernel_neon_begin kernel_fpu_begin_mask warn_rcu_enter __local_lock __local_lock_nested_bh
    __u64_stats_update_begin irq_enter irq_enter_rcu nmi_enter hwspin_lock_timeout`,
  ),
  ...each(
    mayEnter('preemption'),
    'local_trylock __local_trylock ftrace_test_recursion_trylock hwspin_trylock',
  ),
  ...each(
    leaves('preemption'),
    `__preempt_count_dec preempt_count_dec preempt_count_sub __preempt_count_sub preempt_enable_nested
    sched_preempt_enable_no_resched preempt_enable_no_resched_notrace part_stat_unlock jbd_unlock_bh_journal_head
    jbd_unlock_bh_state folio_unlock_large_mapcount kernel_fpu_end kernel_neon_end warn_rcu_exit __local_unlock
    __local_unlock_nested_bh __kunmap_atomic __u64_stats_update_end irq_exit irq_exit_rcu nmi_exit hwspin_unlock
    ftrace_test_recursion_unlock`,
  ),
  ...each(enters('softirqs'), '__local_bh_disable_ip'),
  ...each(leaves('softirqs'), '__local_bh_enable_ip _local_bh_enable'),
  ...each(
    enters('interrupts'),
    `hard_irq_disable arch_local_irq_disable arch_local_irq_save __u64_stats_irqsave printk_cpu_sync_get_irqsave
    printk_cpu_lock_irqsave u64_stats_update_begin_irqsave __local_lock_irq __local_lock_irqsave
    disable_irq_nosync_lockdep disable_irq_nosync_lockdep_irqsave disable_irq_lockdep
    local_irq_disable_exit_to_user hwspin_lock_timeout_irq hwspin_lock_timeout_irqsave`,
  ),
  ...each(
    mayEnter('interrupts'),
    'local_trylock_irqsave __local_trylock_irqsave hwspin_trylock_irq hwspin_trylock_irqsave',
  ),
  ...each(
    leaves('interrupts'),
    `arch_local_irq_enable arch_local_irq_restore __u64_stats_irqrestore printk_cpu_sync_put_irqrestore
    printk_cpu_unlock_irqrestore u64_stats_update_end_irqrestore __local_unlock_irq __local_unlock_irqrestore
    enable_irq_lockdep enable_irq_lockdep_irqrestore local_irq_enable_exit_to_user local_irq_enable_in_hardirq
    hwspin_unlock_irq hwspin_unlock_irqrestore`,
  ),
  ...each(enters('preemption', 'interrupts'), 'rht_lock rht_lock_nested'),
  ...each(leaves('preemption', 'interrupts'), 'rht_unlock rht_assign_unlock'),
};
