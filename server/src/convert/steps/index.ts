/** All steps, in the order in which they run. */
import { answerWithErrors } from './answer-errors.ts';
import { replaceAddGroupDev } from './add-group-dev.ts';
import { chooseOpsFirst } from './choose-ops.ts';
import { convertLibrary } from './library.ts';
import { firstMember } from './first-member.ts';
import { renameFdCallbacks } from './fd-callbacks.ts';
import { helperAllocation } from './helper-allocation.ts';
import { helperInit } from './helper-init.ts';
import { dropFreeDevice } from './free-device.ts';
import { dropIommuGroup } from './iommu-group.ts';
import { initialiseInPlace } from './in-place.ts';
import { addIommufdMembers } from './iommufd-members.ts';
import { manageDma } from './managed-dma.ts';
import { writeOutAllocation } from './macro-allocation.ts';
import { replaceManagedAllocation } from './managed.ts';
import { registerMediated } from './mediated.ts';
import { giveTag } from './struct-tag.ts';
import { writeOutTest } from './test-forms.ts';
import type { Step } from './types.ts';
import { refuseUnknownInterface } from './unknown-interface.ts';
import { returnNothing } from './void-callbacks.ts';

/** In this order: what an earlier one rewrites may be a case for a later one. */
export const STEPS: readonly Step[] = [
  refuseUnknownInterface,
  replaceAddGroupDev,
  registerMediated,
  manageDma,
  returnNothing,
  renameFdCallbacks,
  dropIommuGroup,
  writeOutAllocation,
  writeOutTest,
  replaceManagedAllocation,
  chooseOpsFirst,
  convertLibrary,
  helperInit,
  helperAllocation,
  answerWithErrors,
  initialiseInPlace,
  giveTag,
  firstMember,
  dropFreeDevice,
  addIommufdMembers,
];
