import { words } from './rows.ts';

/** A class of functions that are neutral for one reason. */
export interface NeutralFamily {
  /** Why its functions are neutral. */
  readonly reason: string;
  /**
   * Beginnings of names, each up to and including an underscore. Only those of a kernel subsystem
   * that nobody else uses: a driver may
   * well have a `device_teardown()` or a `write_state()` of its own.
   */
  readonly prefixes?: readonly string[];
  /** Ends of names, each from an underscore. */
  readonly suffixes?: readonly string[];
  readonly names?: readonly string[];
  /** Names that begin like the family and are not neutral. */
  readonly except?: readonly string[];
  /**
   * Neutral names whose functions keep the pointer that they are given: the object can still be
   * reached through it.
   */
  readonly retains?: readonly string[];
  /**
   * What its functions touch: what their arguments point to and nothing else, or everything because
   * they wait, lock or run code of the
   * driver. Without it they touch what they are given and what the kernel and the hardware keep.
   */
  readonly touches?: 'arguments' | 'everything';
}

/**
 * Functions of the wider kernel that may be given a driver's container or its vfio_device and
 * neither free, put nor register it.
 * Anything that is in no table is unknown: it may do all of that, and what the analysis knows of
 * its arguments ends there.
 */
export const NEUTRAL_FAMILIES: readonly NeutralFamily[] = [
  {
    reason: 'Logging and tracing read their arguments.',
    prefixes: words(
      'pr_ dev_err_ dev_warn_ dev_info_ dev_dbg_ dev_notice_ dev_crit_ drm_dbg_ drm_err_ drm_info_ drm_warn_ netdev_ trace_ seq_',
    ),
    names:
      words(`printk _printk printk_once printk_ratelimited dev_err dev_warn dev_info dev_dbg dev_vdbg dev_notice dev_crit dev_alert dev_emerg
      dev_printk drm_dbg drm_err drm_info drm_warn drm_notice dump_stack print_hex_dump print_hex_dump_bytes single_open single_release
      single_open_size __ratelimit add_taint hid_err hid_warn`),
    except: words('netdev_put'),
  },
  {
    reason:
      'They name, describe, lock or announce a struct device. device_unregister() and its like may drop its last reference and stay unknown.',
    prefixes: words(
      'device_property_ device_create_ device_remove_ device_iommu_ device_get_ device_set_ dev_pm_ dev_iommu_ dev_is_ acpi_ of_ fwnode_',
    ),
    names:
      words(`dev_name dev_set_name dev_driver_string dev_to_node set_dev_node dev_num_vf dev_bus_name device_initialize device_add device_register
      device_del device_create device_create_file device_remove_file device_lock device_unlock device_trylock device_lock_assert device_rename
      device_match_name device_may_wakeup device_init_wakeup device_wakeup_enable device_for_each_child device_find_child device_reset
      root_device_register driver_set_override`),
    except: words('device_get_ownership'),
  },
  {
    reason: 'Locks and barriers live in the object and protect it; they do not own it.',
    touches: 'everything',
    prefixes: words(
      'mutex_ ww_mutex_ rt_mutex_ spin_ raw_spin_ rwsem_ seqcount_ seqlock_ lockdep_ srcu_ rcu_read_ percpu_down_ percpu_up_ local_irq_ local_bh_ preempt_ smp_mb__',
    ),
    names:
      words(`down up down_read down_write up_read up_write down_read_trylock down_write_trylock down_read_killable down_write_killable
      down_interruptible down_killable down_trylock down_timeout down_read_interruptible down_read_nested down_write_nested downgrade_write
      init_rwsem sema_init rwlock_init read_lock read_unlock read_lock_irq read_unlock_irq read_lock_irqsave read_unlock_irqrestore read_lock_bh
      read_unlock_bh write_lock write_unlock write_lock_irq write_unlock_irq write_lock_irqsave write_unlock_irqrestore write_lock_bh
      write_unlock_bh write_trylock read_seqbegin read_seqretry write_seqlock write_sequnlock write_seqcount_begin write_seqcount_end
      init_srcu_struct cleanup_srcu_struct synchronize_rcu synchronize_rcu_expedited synchronize_srcu synchronize_net rcu_barrier
      might_sleep might_lock smp_mb smp_rmb smp_wmb smp_load_acquire wmb rmb mb dma_wmb dma_rmb
      barrier assert_spin_locked`),
    retains: words('rcu_assign_pointer RCU_INIT_POINTER WRITE_ONCE smp_store_release smp_store_mb'),
  },
  {
    reason: 'Lists, trees and tables link the object; who unlinks it does not free it.',
    touches: 'arguments',
    prefixes: words(
      'list_ hlist_ llist_ hash_ rb_ interval_tree_ radix_tree_ xa_ __xa_ xas_ xarray_ idr_ ida_ mas_ mtree_ kfifo_ klist_',
    ),
    names: words(
      `INIT_LIST_HEAD INIT_LIST_HEAD_RCU INIT_HLIST_HEAD INIT_HLIST_NODE INIT_RADIX_TREE RB_CLEAR_NODE RB_EMPTY_NODE init_llist_head`,
    ),
    // The nodes of a klist are counted: to remove one may put the object.
    except: words('klist_del klist_remove'),
    retains:
      words(`list_add list_add_tail list_add_rcu list_add_tail_rcu list_move list_move_tail hlist_add_head hlist_add_head_rcu llist_add
      hlist_add_tail_rcu hlist_add_before hlist_add_behind list_replace list_replace_rcu list_replace_init list_splice list_splice_tail
      list_splice_init list_splice_tail_init list_bulk_move_tail
      hash_add hash_add_rcu rb_link_node rb_insert_color rb_add rb_add_cached rb_find_add rb_replace_node interval_tree_insert radix_tree_insert
      radix_tree_replace_slot xa_store xa_store_bh xa_store_irq xa_store_range xa_insert xa_insert_bh
      xa_insert_irq xa_alloc xa_alloc_bh xa_alloc_irq xa_alloc_cyclic xa_alloc_cyclic_irq xa_cmpxchg xa_cmpxchg_bh xa_cmpxchg_irq xas_store
      mas_store mas_store_gfp mas_store_prealloc mas_insert mtree_store_range mtree_insert_range mtree_alloc_range __xa_store __xa_insert __xa_alloc __xa_cmpxchg idr_alloc idr_alloc_cyclic idr_alloc_u32
      idr_replace mtree_store mtree_insert kfifo_put kfifo_in klist_add_tail klist_add_head`),
  },
  {
    reason: 'Deferred work runs later, and what it does is judged where its function stands.',
    touches: 'everything',
    prefixes: words('timer_ hrtimer_ del_timer_ tasklet_ kthread_ irq_work_'),
    names:
      words(`INIT_WORK INIT_WORK_ONSTACK INIT_DELAYED_WORK INIT_DEFERRABLE_WORK INIT_RCU_WORK del_timer try_to_del_timer_sync destroy_workqueue
      drain_workqueue flush_workqueue flush_work flush_delayed_work flush_rcu_work flush_scheduled_work cancel_work cancel_work_sync
      cancel_delayed_work cancel_delayed_work_sync disable_work disable_work_sync enable_work work_pending work_busy delayed_work_pending`),
    except: words('kthread_exit kthread_complete_and_exit'),
    retains:
      words(`irq_work_queue kthread_queue_work kthread_queue_delayed_work kthread_create_on_node kthread_create_on_cpu kthread_run_on_cpu
      add_timer_on add_timer_global add_timer_local queue_work queue_work_on queue_delayed_work queue_delayed_work_on schedule_work schedule_work_on schedule_delayed_work
      mod_delayed_work mod_timer add_timer timer_setup setup_timer hrtimer_start tasklet_init tasklet_setup tasklet_schedule kthread_run
      kthread_create`),
  },
  {
    reason: 'They wait, or wake who waits.',
    touches: 'everything',
    prefixes: words(
      'wait_event_ wait_for_completion_ wait_on_ wake_up_ swait_ swake_up_ prepare_to_wait_',
    ),
    names:
      words(`wait_event wait_for_completion init_completion reinit_completion complete complete_all try_wait_for_completion completion_done
      init_waitqueue_head init_waitqueue_func_entry init_waitqueue_entry init_wait_entry init_swait_queue_head add_wait_queue remove_wait_queue
      waitqueue_active wake_up prepare_to_wait finish_wait poll_wait schedule schedule_timeout schedule_timeout_interruptible
      schedule_timeout_uninterruptible cond_resched msleep msleep_interruptible ssleep usleep_range udelay mdelay ndelay fsleep`),
  },
  {
    reason: 'Memory, strings, bits and numbers are read or written in place.',
    touches: 'arguments',
    prefixes: words(
      'bitmap_ uuid_ guid_ sg_ crc32_ cpu_to_ le16_ le32_ le64_ be16_ be32_ be64_ find_first_ find_next_ find_last_',
    ),
    names:
      words(`memset memset32 memset64 memcpy memmove memcmp memchr memchr_inv memzero_explicit memcpy_fromio memcpy_toio memset_io memset_after
      memset_startat memcpy_and_pad strcpy strncpy strscpy strscpy_pad strlcpy strcat strncat strlcat strlen strnlen strcmp strncmp strcasecmp
      strncasecmp strchr strrchr strstr strsep strim strstrip strreplace skip_spaces sysfs_streq match_string snprintf scnprintf sprintf vsnprintf
      vscnprintf sscanf kstrtoint kstrtouint kstrtol kstrtoul kstrtoll kstrtoull kstrtobool kstrtou8 kstrtou16 kstrtou32 kstrtou64 hex_dump_to_buffer
      hex2bin bin2hex sort bsearch swap min max min_t max_t min3 max3 min_not_zero clamp clamp_t clamp_val abs DIV_ROUND_UP DIV_ROUND_UP_ULL
      DIV_ROUND_CLOSEST do_div div_u64 div64_u64 mul_u64_u32_shr ALIGN ALIGN_DOWN IS_ALIGNED PAGE_ALIGN PTR_ALIGN PFN_DOWN PFN_UP PHYS_PFN PFN_PHYS
      ARRAY_SIZE struct_size struct_size_t flex_array_size array_size array3_size array_index_nospec size_add size_mul size_sub check_add_overflow
      check_sub_overflow check_mul_overflow overflows_type type_max round_up round_down roundup rounddown roundup_pow_of_two rounddown_pow_of_two
      is_power_of_2 ilog2 order_base_2 fls fls64 ffs __ffs __fls ffz hweight8 hweight16 hweight32 hweight64 hweight_long BIT BIT_ULL BITS_TO_LONGS
      GENMASK GENMASK_ULL FIELD_GET FIELD_PREP FIELD_FIT FIELD_MAX upper_32_bits lower_32_bits upper_16_bits lower_16_bits get_unaligned
      put_unaligned swab16 swab32 swab64 crc32 crc16 get_random_bytes get_random_u32 prandom_u32 test_bit set_bit clear_bit change_bit __set_bit
      __clear_bit __change_bit assign_bit __assign_bit test_and_set_bit test_and_clear_bit test_and_change_bit clear_bit_unlock
      test_and_set_bit_lock test_bit_inv set_bit_inv clear_bit_inv for_each_set_bit bitmap_free offset_in_page get_order rlimit capable ns_capable jiffies_to_msecs msecs_to_jiffies
      usecs_to_jiffies time_after time_before time_is_before_jiffies ktime_get ktime_get_ns ktime_sub ktime_to_ns ktime_to_us ktime_add_ns
      MAJOR MINOR MKDEV PCI_DEVID PCI_DEVFN PCI_SLOT PCI_FUNC DECLARE_BITMAP
      DECLARE_COMPLETION_ONSTACK DEFINE_WAIT DEFINE_WAIT_FUNC IS_ENABLED IS_REACHABLE BUILD_BUG_ON BUILD_BUG_ON_ZERO BUILD_BUG_ON_MSG static_assert typecheck offsetof offsetofend sizeof_field`),
  },
  {
    reason: 'Device registers.',
    prefixes: words('regmap_ readl_ readq_ readb_ readw_ writel_ writeq_ writeb_ writew_'),
    names:
      words(`readb readw readl readq writeb writew writel writeq ioread8 ioread16 ioread32 ioread64 ioread16be ioread32be ioread8_rep iowrite8
      iowrite16 iowrite32 iowrite64 iowrite16be iowrite32be iowrite8_rep inb inw inl outb outw outl iounmap memunmap ioport_map ioport_unmap
      io_mapping_map_wc io_mapping_unmap`),
    except: words('regmap_exit'),
  },
  {
    reason:
      'Counters in the object. kref_put() and kobject_put() run a release function and stay unknown.',
    touches: 'arguments',
    prefixes: words(
      'atomic_ atomic64_ atomic_long_ refcount_ percpu_counter_ this_cpu_ static_branch_',
    ),
    names:
      words(`kref_init kref_get kref_get_unless_zero kref_read kobject_get kobject_init kobject_add kobject_init_and_add kobject_set_name
      kobject_uevent kobject_uevent_env kobject_name kset_register kset_unregister cmpxchg64 fetch_and_zero`),
    retains: words('xchg cmpxchg try_cmpxchg'),
  },
  {
    reason: 'Files in sysfs, procfs and debugfs. They point to the object until they are removed.',
    touches: 'everything',
    prefixes: words('sysfs_ debugfs_'),
    names: words(
      'proc_create proc_mkdir proc_remove remove_proc_entry simple_open simple_read_from_buffer simple_write_to_buffer noop_llseek',
    ),
    retains: words(
      `debugfs_create_file debugfs_create_file_unsafe debugfs_create_u8 debugfs_create_u16 debugfs_create_u32 debugfs_create_u64 debugfs_create_x32
      debugfs_create_bool debugfs_create_atomic_t debugfs_create_blob proc_create_data`,
    ),
  },
  {
    reason: 'Power management of the parent.',
    touches: 'everything',
    prefixes: words('pm_runtime_ pm_wakeup_ genpd_'),
    names: words('pm_stay_awake pm_relax'),
  },
  {
    reason:
      'Clocks, regulators, resets and the like are objects of their own; they are given the parent.',
    prefixes: words('clk_ regulator_ reset_control_ gpiod_ icc_'),
  },
  {
    reason:
      'Interrupts and event descriptors are given the object as an argument, and the handler gets it back.',
    touches: 'everything',
    prefixes: words('irq_ eventfd_ msi_ platform_msi_'),
    names:
      words(`free_irq enable_irq disable_irq disable_irq_nosync disable_hardirq synchronize_irq synchronize_hardirq get_cached_msi_msg
      write_msi_msg in_interrupt in_task`),
    retains: words(
      'request_irq request_threaded_irq request_any_context_irq request_percpu_irq irq_bypass_register_producer irq_set_handler_data irq_set_chip_data irq_set_affinity_notifier irq_domain_add_linear irq_domain_create_linear irq_domain_create_hierarchy',
    ),
  },
  {
    reason:
      'Notifier chains and other subsystems keep a member of the object until it is taken out.',
    touches: 'everything',
    names:
      words(`blocking_notifier_chain_unregister blocking_notifier_call_chain atomic_notifier_chain_unregister raw_notifier_chain_unregister
      srcu_notifier_chain_unregister bus_unregister_notifier unregister_netdevice_notifier unregister_reboot_notifier unregister_pm_notifier
      BLOCKING_INIT_NOTIFIER_HEAD ATOMIC_INIT_NOTIFIER_HEAD mmu_notifier_unregister mmu_interval_notifier_remove vga_client_register
      vga_client_unregister vga_set_legacy_decoding vga_get_interruptible vga_put aperture_remove_conflicting_pci_devices`),
    retains:
      words(`blocking_notifier_chain_register atomic_notifier_chain_register raw_notifier_chain_register srcu_notifier_chain_register
      bus_register_notifier register_netdevice_notifier register_reboot_notifier register_pm_notifier mmu_notifier_register
      mmu_interval_notifier_insert iommu_group_register_notifier kvm_page_track_register_notifier acpi_install_notify_handler
      iommufd_access_create`),
  },
  {
    reason: 'Buses act on the parent device.',
    prefixes: words(
      'pci_ pcie_ pcim_ __pci_ pcibios_ fsl_mc_ dprc_ cdx_ amba_ platform_ eeh_ virtio_pci_admin_',
    ),
    retains: words('pci_request_irq'),
    suffixes: words('_driver_register _driver_unregister _register_driver _unregister_driver'),
    names:
      words(`request_mem_region release_mem_region request_region release_region request_resource insert_resource release_resource
      resource_size resource_type device_driver_attach bus_register bus_unregister driver_register driver_unregister root_device_unregister
      is_fsl_mc_bus_dprc ap_get_qdev ap_aqic ap_tapq ap_zapq ap_test_queue AP_MKQID AP_QID_CARD AP_QID_QUEUE`),
    except: words(
      'platform_device_unregister platform_device_put platform_device_del pci_stop_and_remove_bus_device fsl_mc_device_remove amba_device_unregister',
    ),
  },
  {
    reason: 'References to the parent and to other objects: what they count is not the container.',
    names:
      words(`module_put __module_get try_module_get symbol_get symbol_put request_module get_file fget fput fdget fdput get_task_struct
      put_task_struct get_task_mm mmget mmget_not_zero mmput mmgrab mmdrop get_page put_page of_node_put fwnode_handle_put acpi_dev_put dma_buf_get
      dma_buf_put dma_buf_fd dget dput igrab iput free_percpu __free_page __free_pages kmem_cache_destroy mempool_destroy dma_pool_destroy`),
  },
  {
    reason: 'User memory, pages and DMA mappings are not the container.',
    prefixes: words(
      'dma_ dmam_ iommu_ iommufd_ iova_bitmap_ pin_user_ unpin_user_ get_user_ mmap_read_ mmap_write_ vm_flags_ vma_ vmf_ io_remap_ pgprot_ kmap_ kunmap_ swiotlb_',
    ),
    names:
      words(`copy_from_user copy_to_user copy_from_iter copy_to_iter clear_user get_user put_user __get_user __put_user access_ok u64_to_user_ptr
      kmap kunmap virt_to_page virt_to_phys phys_to_virt page_to_pfn page_to_phys page_to_virt page_address pfn_to_page pfn_valid vmalloc_to_page
      vmalloc_to_pfn is_vmalloc_addr account_locked_vm __account_locked_vm untagged_addr untagged_addr_remote fixup_user_fault find_vma
      remap_pfn_range remap_vmalloc_range zap_vma_ptes unmap_mapping_range follow_pte follow_pfn follow_pfnmap_start follow_pfnmap_end
      set_page_dirty set_page_dirty_lock flush_dcache_page nth_page __pa __va PageReserved`),
    except: words('dma_release_channel'),
  },
  {
    reason: 'Character devices, classes and files refer to the object; they do not own it.',
    touches: 'everything',
    prefixes: words('anon_inode_'),
    names:
      words(`cdev_init cdev_del cdev_device_del class_create class_destroy class_register class_unregister misc_deregister alloc_chrdev_region
      register_chrdev_region unregister_chrdev_region register_chrdev unregister_chrdev get_unused_fd_flags put_unused_fd fd_install stream_open
      nonseekable_open generic_file_llseek file_inode file_count iminor imajor task_pid_nr bus_for_each_dev driver_for_each_device`),
    retains: words('anon_inode_getfile anon_inode_getfd cdev_add cdev_device_add misc_register'),
  },
  {
    reason:
      'Managed resources of the parent end with it. What runs or removes a deferred action stays unknown.',
    prefixes: words('devm_ devres_ drmm_'),
    except: words(
      'devm_remove_action devm_remove_action_nowarn devm_release_action devres_release devres_destroy devres_release_group devres_release_all drmm_release_action',
    ),
    retains: words('devm_request_irq devm_request_threaded_irq'),
  },
  {
    reason:
      'VFIO helpers that read the device, or act on its users and its memory, while it lives.',
    touches: 'everything',
    prefixes: words('vfio_iommufd_ vfio_info_ vfio_virqfd_ vfio_file_'),
    retains: words('vfio_virqfd_enable vfio_register_notifier'),
    names:
      words(`vfio_pin_pages vfio_unpin_pages vfio_dma_rw vfio_check_feature vfio_mig_get_next_state vfio_combine_iova_ranges
      vfio_device_set_open_count vfio_find_device_in_devset vfio_device_cdev_opened vfio_set_irqs_validate_and_prepare vfio_iommu_group_get
      vfio_iommu_group_put vfio_spapr_pci_eeh_open vfio_spapr_pci_eeh_release vfio_unregister_notifier vfio_group_set_kvm
      vfio_pci_core_setup_barmap vfio_pci_core_do_io_rw vfio_pci_core_range_intersect_range vfio_pci_core_ioread8 vfio_pci_core_ioread16
      vfio_pci_core_ioread32 vfio_pci_core_ioread64 vfio_pci_core_iowrite8 vfio_pci_core_iowrite16 vfio_pci_core_iowrite32 vfio_pci_core_iowrite64
      vfio_pci_is_vga vfio_pci_set_power_state vfio_pci_register_dev_region vfio_pci_info_zdev_add_caps vfio_pci_memory_lock_and_enable
      vfio_pci_memory_unlock_and_restore vfio_pci_zap_and_down_write_memory_lock vfio_pci_intx_mask vfio_pci_intx_unmask vfio_pci_set_irqs_ioctl
      vfio_pci_config_rw vfio_pci_bar_rw vfio_pci_vga_rw vfio_pci_ioeventfd vfio_platform_open_device vfio_platform_close_device
      vfio_platform_ioctl vfio_platform_read vfio_platform_write vfio_platform_mmap vfio_platform_irq_init vfio_platform_irq_cleanup
      vfio_platform_set_irqs_ioctl mdev_uuid mdev_get_iommu_device mtype_get_type_group_id mtype_get_parent_dev`),
  },
  {
    reason: 'KVM is told of the object, or asked about its memory.',
    touches: 'everything',
    prefixes: words('kvm_ gfn_to_'),
    names: words('gpa_to_gfn'),
  },
];
