import type { GeneralFunction } from './types.ts';
import { ALWAYS, returnsErrno, returnsValue, returnsVoid } from './rows.ts';

/**
 * Setters and getters of the pointer that a driver keeps in the device it is bound to. Argument 0
 * is that device, argument 1 the pointer.
 */
const DRVDATA: readonly (readonly [set: string, get: string])[] = [
  ['dev_set_drvdata', 'dev_get_drvdata'],
  ['pci_set_drvdata', 'pci_get_drvdata'],
  ['platform_set_drvdata', 'platform_get_drvdata'],
  ['amba_set_drvdata', 'amba_get_drvdata'],
  ['auxiliary_set_drvdata', 'auxiliary_get_drvdata'],
  ['hv_set_drvdata', 'hv_get_drvdata'],
  ['i2c_set_clientdata', 'i2c_get_clientdata'],
  ['spi_set_drvdata', 'spi_get_drvdata'],
  ['usb_set_intfdata', 'usb_get_intfdata'],
  ['hid_set_drvdata', 'hid_get_drvdata'],
  ['sdio_set_drvdata', 'sdio_get_drvdata'],
  ['mei_cldev_set_drvdata', 'mei_cldev_get_drvdata'],
  ['ishtp_set_drvdata', 'ishtp_get_drvdata'],
  ['tb_service_set_drvdata', 'tb_service_get_drvdata'],
  ['greybus_set_drvdata', 'greybus_get_drvdata'],
  ['serdev_device_set_drvdata', 'serdev_device_get_drvdata'],
  ['slim_set_devicedata', 'slim_get_devicedata'],
  ['mcb_set_drvdata', 'mcb_get_drvdata'],
  ['pnp_set_drvdata', 'pnp_get_drvdata'],
  ['zorro_set_drvdata', 'zorro_get_drvdata'],
  ['bcma_set_drvdata', 'bcma_get_drvdata'],
  ['ssam_device_set_drvdata', 'ssam_device_get_drvdata'],
  ['ulpi_set_drvdata', 'ulpi_get_drvdata'],
  ['rio_set_drvdata', 'rio_get_drvdata'],
  ['ffa_dev_set_drvdata', 'ffa_dev_get_drvdata'],
  ['vdpa_set_drvdata', 'vdpa_get_drvdata'],
  ['dio_set_drvdata', 'dio_get_drvdata'],
];

export const DRVDATA_FUNCTIONS: readonly GeneralFunction[] = DRVDATA.flatMap(
  ([set, get]): GeneralFunction[] => [
    { name: set, behaviours: [returnsVoid(ALWAYS, { op: 'set-drvdata', target: 0, value: 1 })] },
    {
      name: get,
      behaviours: [returnsValue(ALWAYS, { op: 'get-drvdata', target: 0, result: 'return' })],
    },
  ],
);

/** Calls that run a function of the driver when its device is unbound, in reverse order. */
export const DEFERRING_FUNCTIONS: readonly GeneralFunction[] = [
  ...['devm_add_action', 'drmm_add_action'].map((name): GeneralFunction => ({
    name,
    behaviours: [returnsErrno(ALWAYS, [{ op: 'defer', callback: 1, data: 2 }])],
  })),
  // On failure the action has run before the call returns.
  ...['devm_add_action_or_reset', 'drmm_add_action_or_reset'].map((name): GeneralFunction => ({
    name,
    behaviours: [returnsErrno(ALWAYS, [{ op: 'defer', callback: 1, data: 2, orRun: true }])],
  })),
];

/**
 * The reference count behind vfio_put_device(): only `&vdev->device` is the vfio_device's own, any
 * other device is another object.
 */
export const REFERENCE_FUNCTIONS: readonly GeneralFunction[] = [
  { name: 'get_device', behaviours: [returnsValue(ALWAYS, { op: 'get', target: 0 })] },
  { name: 'put_device', behaviours: [returnsVoid(ALWAYS, { op: 'put', target: 0 })] },
];
