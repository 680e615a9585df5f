// What scripts/test-web.mjs writes into the bundle of the suite.

/** Where the suite sends its results: an address of this machine. */
declare const SUITE_RESULTS: string;
/** The files of the virtual workspace by their paths. */
declare const SUITE_FILES: Readonly<Record<string, string>>;
/** The files of the conversion that the suite asks for, as the command line converts them. */
declare const SUITE_CONVERTED: Readonly<Record<string, string>>;
