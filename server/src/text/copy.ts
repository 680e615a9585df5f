/** A string that shares no memory with the one it was cut from. */
export function copyString(text: string): string {
  return (' ' + text).slice(1);
}
