/**
 * What the compiler asks of the world it runs in: nothing but the text of files.
 *
 * @module
 */
export interface Host {
  /**
   * Text of a file of the project.
   * @param path path with `/`, relative to the project's root, without `.` and `..` parts
   */
  read(path: string): ReadResult;
  /** Text of a module of the standard library, `backbones` for `std/backbones`. */
  readLibrary(name: string): string | undefined;
  /** Names of the modules of the standard library. */
  libraryModules(): readonly string[];
}

export type ReadResult =
  | { readonly ok: true; readonly text: string }
  /** `outside`: the path leads, through a symbolic link, out of the project. */
  | { readonly ok: false; readonly reason: 'missing' | 'outside' | 'unreadable'; readonly detail: string };

/** A host over texts in memory: for the browser, tests, and source from standard input. */
export function memoryHost(
  files: Readonly<Record<string, string>>,
  library: Readonly<Record<string, string>>,
): Host {
  return {
    read: (path) =>
      Object.hasOwn(files, path)
        ? { ok: true, text: files[path] }
        : { ok: false, reason: 'missing', detail: 'no such file' },
    readLibrary: (name) => (Object.hasOwn(library, name) ? library[name] : undefined),
    libraryModules: () => Object.keys(library),
  };
}
