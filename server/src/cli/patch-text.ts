/**
 * Patches as they come: the output of git diff, a mail, a mailbox with a series. What is around the
 * diffs is passed over, as git apply does.
 */
import { parsePatch, type StructuredPatch } from 'diff';

/** The change of one file, in the order of the patches. */
export type FilePatch = StructuredPatch;

/** The changes of files in a text. Throws Error for a diff that is cut off or damaged. */
export function patchesIn(text: string): FilePatch[] {
  return mailsIn(text)
    .flatMap((mail) => diffsIn(decodedMail(mail)))
    .flatMap((diff) => parsePatch(diff));
}

/** A name without the prefix of git; undefined for /dev/null. */
export function patchedName(name: string | undefined): string | undefined {
  return name === undefined || name === '/dev/null' ? undefined : name;
}

/** The mails of a mailbox, or the whole text. */
function mailsIn(text: string): string[] {
  return text.split(/^(?=From [^\n]*\d{4}\r?\n[\w-]+:)/m);
}

/** A mail whose content its header says to be encoded, decoded. */
function decodedMail(mail: string): string {
  const end = /\r?\n\r?\n/.exec(mail);
  const header = end === null ? '' : mail.slice(0, end.index);
  const encoding = /^Content-Transfer-Encoding:\s*([\w-]+)/im.exec(header)?.[1]?.toLowerCase();
  if (end === null || !/^[\w-]+:|^From /.test(mail)) return mail;
  const body = mail.slice(end.index + end[0].length);
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString('utf8');
  if (encoding !== 'quoted-printable') return mail;
  const bytes = body
    .replace(/=\r?\n/g, '')
    .replace(/=([\dA-Fa-f]{2})/g, (_, code: string) => String.fromCharCode(parseInt(code, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

const FILE = /^--- [^\n]+\n\+\+\+ [^\n]+\n(?=@@ -)/gm;
const HUNK = /@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@[^\n]*\n/y;

/** Each diff with its hunks as long as they say that they are: what follows may look like one. */
function diffsIn(text: string): string[] {
  return [...text.matchAll(FILE)].map((match) => {
    let at = match.index + match[0].length;
    for (;;) {
      HUNK.lastIndex = at;
      const hunk = HUNK.exec(text);
      if (hunk === null) return text.slice(match.index, at);
      at = endOfHunk(text, HUNK.lastIndex, Number(hunk[1] ?? 1), Number(hunk[2] ?? 1));
    }
  });
}

/** The offset after the lines of a hunk. */
function endOfHunk(text: string, from: number, oldLines: number, newLines: number): number {
  let at = from;
  for (let left = { old: oldLines, new: newLines }; left.old > 0 || left.new > 0;) {
    if (at >= text.length) throw new Error('a diff ends in the middle');
    const sign = text[at];
    const isBoth = sign === ' ' || sign === '\n' || sign === '\r';
    if (!isBoth && sign !== '-' && sign !== '+' && sign !== '\\')
      throw new Error('a diff has a line that is none of its hunk');
    left = {
      old: left.old - (isBoth || sign === '-' ? 1 : 0),
      new: left.new - (isBoth || sign === '+' ? 1 : 0),
    };
    at = lineAfter(text, at);
  }
  return text[at] === '\\' ? lineAfter(text, at) : at;
}

function lineAfter(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end + 1;
}
