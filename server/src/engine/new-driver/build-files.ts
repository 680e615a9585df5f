/** What builds a new driver: a Makefile for inside and outside of a kernel tree, and a Kconfig. */
import type { DriverNames, NewDriverBus, NewFile } from './types.ts';

const kconfig: Readonly<Record<NewDriverBus, { readonly needs: string; readonly what: string }>> = {
  pci: {
    needs: '	depends on VFIO && PCI && MMU\n	select VFIO_PCI_CORE\n',
    what: 'PCI devices',
  },
  mdev: { needs: '	depends on VFIO\n	select VFIO_MDEV\n', what: 'mediated devices' },
  platform: { needs: '	depends on VFIO && OF\n', what: 'platform devices' },
};

/** The Makefile and the Kconfig. */
export function buildFiles(bus: NewDriverBus, { name, module }: DriverNames): readonly NewFile[] {
  const symbol = module.toUpperCase();
  const { needs, what } = kconfig[bus];
  return [
    {
      name: 'Makefile',
      text: `# SPDX-License-Identifier: GPL-2.0-only
ifneq ($(KERNELRELEASE),)

# Outside of a kernel tree there is no Kconfig that could choose it.
ifneq ($(KBUILD_EXTMOD),)
CONFIG_${symbol} := m
endif

obj-$(CONFIG_${symbol}) += ${module}.o

else

KDIR ?= /lib/modules/$(shell uname -r)/build

all:
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

clean:
	$(MAKE) -C $(KDIR) M=$(CURDIR) clean

.PHONY: all clean

endif
`,
    },
    {
      name: 'Kconfig',
      text: `# SPDX-License-Identifier: GPL-2.0-only
config ${symbol}
	tristate "VFIO support for ${name} ${what}"
${needs}	help
	  Lets user space drive ${name} ${what} through the VFIO framework.

	  If you don't know what to do here, say N.
`,
    },
  ];
}
