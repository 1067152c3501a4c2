/**
 * The numbers of the ZIP format that packages use. Source: PKWARE APPNOTE 6.3.10, §4.3 and §4.4.
 */

/** Signatures, little-endian. */
export const SIGNATURE = { local: 0x0403_4b50, central: 0x0201_4b50, end: 0x0605_4b50 } as const;

/** Bytes of each record before its names and fields of free length. */
export const RECORD_BYTES = { local: 30, central: 46, end: 22 } as const;

/** How an entry is compressed. */
export const METHOD = { stored: 0, deflated: 8 } as const;

/** Bits of an entry's flags. */
export const FLAG = { encrypted: 1, descriptor: 8, utf8: 0x800 } as const;

/** One file of an archive. */
export interface ZipFile {
  /** Relative, with `/` separators. */
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}
