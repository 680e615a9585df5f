/**
 * A patch as a mail, which is what `git am` takes: the form of `git format-patch`, without the date,
 * so that the same sources give the same bytes.
 */

export interface Author {
  readonly name: string;
  readonly email: string;
}

export interface Mail {
  /** Undefined where git knows none. */
  readonly author: Author | undefined;
  /** One line, without `[PATCH]`. */
  readonly subject: string;
  /** The rest of the commit message. */
  readonly body: string;
  /** The place in its series, from one. */
  readonly number: number;
  readonly of: number;
  /** Unified diffs, in the bytes of their files. */
  readonly patch: Buffer;
}

/** What begins a mail in a mailbox. git knows its own by the date. */
const FROM = `From ${'0'.repeat(40)} Mon Sep 17 00:00:00 2001\n`;

export function mailText({ author, subject, body, number, of, patch }: Mail): Buffer {
  const tag =
    of === 1 ? '[PATCH]' : `[PATCH ${String(number).padStart(String(of).length, '0')}/${of}]`;
  // On its way through a mailbox a line loses the CR at its end unless it is encoded.
  const isEncoded = patch.includes('\r');
  const content = Buffer.concat([Buffer.from(`${body.trimEnd()}\n---\n\n`), patch]);
  const headers = [
    ...(author ? [`From: ${nameText(author.name)} <${author.email}>`] : []),
    `Subject: ${tag} ${encodedWords(subject)}`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=UTF-8',
    `Content-Transfer-Encoding: ${isEncoded ? 'quoted-printable' : '8bit'}`,
  ];
  return Buffer.concat([
    Buffer.from(`${FROM}${headers.join('\n')}\n\n`),
    isEncoded ? Buffer.from(quotedPrintable(content)) : content,
  ]);
}

/** `0001-vfio-foo-Use-vfio_alloc_device.patch`, as git format-patch names its files. */
export function mailFileName({ number, subject }: Pick<Mail, 'number' | 'subject'>): string {
  const words = subject
    .split(/[^\w.]+/)
    .filter((word) => word !== '')
    .join('-');
  return `${String(number).padStart(4, '0')}-${words.slice(0, 52).replace(/[-.]$/, '')}.patch`;
}

/** A name with letters beyond ASCII is encoded, one with marks that mean something is quoted. */
function nameText(name: string): string {
  if (!isPlain(name)) return encodedWords(name);
  return /[()<>@,;:\\".[\]]/.test(name) ? `"${name.replace(/["\\]/g, '\\$&')}"` : name;
}

function isPlain(text: string): boolean {
  return /^[ -~]*$/.test(text);
}

/** Bytes of one encoded word: with its frame it has to fit on a line of 76. */
const MOST_ENCODED = 60;

/** A header's text by RFC 2047 where it is not ASCII. */
function encodedWords(text: string): string {
  if (isPlain(text)) return text;
  const words: string[] = [];
  let word = '';
  for (const char of text) {
    const encoded = /[A-Za-z0-9]/.test(char)
      ? char
      : [...Buffer.from(char)].map((byte) => `=${hex(byte)}`).join('');
    if (word.length + encoded.length > MOST_ENCODED) {
      words.push(word);
      word = '';
    }
    word += encoded;
  }
  return [...words, word].map((one) => `=?UTF-8?q?${one}?=`).join('\n ');
}

/** Characters of a line, with the mark that says that it goes on. */
const LINE = 76;

function quotedPrintable(bytes: Buffer): string {
  const lines: string[] = [];
  let line = '';
  for (const byte of bytes) {
    if (byte === 0x0a) {
      lines.push(line);
      line = '';
      continue;
    }
    const isLiteral = (byte >= 0x20 && byte <= 0x7e && byte !== 0x3d) || byte === 0x09;
    const char = isLiteral ? String.fromCharCode(byte) : `=${hex(byte)}`;
    if (line.length + char.length >= LINE) {
      lines.push(`${line}=`);
      line = '';
    }
    line += char;
  }
  // A blank at the end of a line may get lost on the way.
  return [...lines, line]
    .map((one) => one.replace(/[ \t]$/, (blank) => `=${hex(blank.charCodeAt(0))}`))
    .join('\n');
}

function hex(byte: number): string {
  return byte.toString(16).toUpperCase().padStart(2, '0');
}
