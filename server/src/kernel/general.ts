export { behaviourOf } from './lookup.ts';
