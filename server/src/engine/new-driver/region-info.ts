/** The function of a new driver that tells user space of a region. */
import type { KernelVersion } from '../../kernel/types.ts';
import { isBefore } from './c-text.ts';

/** What the function is made of. */
interface Region {
  readonly name: string;
  readonly kernel: KernelVersion;
  /** Declarations, lines with their ends. */
  readonly locals: string;
  /** What refuses an index, lines with their ends. */
  readonly check: string;
  /** Expressions of C, which may use the locals and `info`. */
  readonly size: string;
  readonly offset: string;
  readonly flags: string;
}

/**
 * `NAME_get_region_info()`: a member of the ops table from 6.19 on, before that a part of .ioctl.
 * Source: v6.19 drivers/vfio/vfio_main.c, vfio_get_region_info().
 */
export function regionInfo(region: Region): string {
  return isBefore(region.kernel, [6, 19]) ? asRequest(region) : asMember(region);
}

function asMember({ name, locals, check, size, offset, flags }: Region): string {
  return `
static int ${name}_get_region_info(struct vfio_device *vdev, struct vfio_region_info *info, struct vfio_info_cap *caps)
{
${locals}${locals === '' ? '' : '\n'}${check}
	info->offset = ${offset};
	info->size = ${size};
	info->flags = ${flags};
	return 0;
}
`;
}

function asRequest({ name, locals, check, size, offset, flags }: Region): string {
  const direct = (text: string): string => text.replaceAll('info->', 'info.');
  return `
static long ${name}_get_region_info(struct vfio_device *vdev, struct vfio_region_info __user *arg)
{
	unsigned long minsz = offsetofend(struct vfio_region_info, offset);
${locals}	struct vfio_region_info info;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;
${direct(check)}
	info.offset = ${direct(offset)};
	info.size = ${direct(size)};
	info.flags = ${direct(flags)};
	info.cap_offset = 0;
	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}
`;
}
