/* Without the two names that a driver brings along for kernels which do not have them. */
#include_next <linux/vfio.h>
#undef vfio_alloc_device
#define vfio_put_device put_device_before_6_1
