/** The ops members that another member makes necessary. */
import type { KernelVersion } from './types.ts';

/** A member of vfio_device_ops that something asks for because of another member. */
export interface NeededMember {
  readonly member: string;
  readonly since: KernelVersion;
  /**
   * The member that makes it needed where it is, or calls, one of these helpers of the core, or
   * handles a request.
   */
  readonly because: {
    readonly member: string;
    readonly helpers: readonly string[];
    readonly request?: string;
  };
  /** What happens without it, as the end of a sentence. */
  readonly otherwise: string;
  /** Whether the kernel itself breaks, or only a request of user space fails. */
  readonly oopses: boolean;
  /**
   * The helper that does what the core did before, for a table whose `because` member is set to
   * `besides`.
   */
  readonly helper: { readonly value: string; readonly besides: string };
}

/** The members that the core, or a helper of it, wants although registration does not ask. */
export const NEEDED_MEMBERS: readonly NeededMember[] = [
  {
    // v6.19 drivers/vfio/pci/vfio_pci_core.c, vfio_pci_core_match(): called without a test.
    member: 'match_token_uuid',
    since: [6, 17],
    because: { member: 'match', helpers: ['vfio_pci_core_match'] },
    otherwise: 'vfio_pci_core_match() calls it untested',
    oopses: true,
    helper: { value: 'vfio_pci_core_match_token_uuid', besides: 'vfio_pci_core_match' },
  },
  {
    // v6.19 drivers/vfio/vfio_main.c, vfio_get_region_info(): the core takes the request itself,
    // and .ioctl never sees it.
    member: 'get_region_info_caps',
    since: [6, 19],
    because: {
      member: 'ioctl',
      helpers: ['vfio_pci_core_ioctl', 'vfio_platform_ioctl'],
      request: 'VFIO_DEVICE_GET_REGION_INFO',
    },
    otherwise: 'VFIO_DEVICE_GET_REGION_INFO returns -EINVAL',
    oopses: false,
    helper: { value: 'vfio_pci_ioctl_get_region_info', besides: 'vfio_pci_core_ioctl' },
  },
];

const PCI_CORE: ReadonlyMap<string, string> = new Map([
  ['init', 'vfio_pci_core_init_dev'],
  ['release', 'vfio_pci_core_release_dev'],
  ['device_feature', 'vfio_pci_core_ioctl_feature'],
  ['get_region_info_caps', 'vfio_pci_ioctl_get_region_info'],
]);

/** What the core of vfio-pci calls, or would call, what it has for a member of vfio_device_ops. */
export function pciCoreHelper(member: string): string {
  return PCI_CORE.get(member) ?? `vfio_pci_core_${member}`;
}
