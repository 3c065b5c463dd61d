/**
 * Documents of an editor as files of projects: which workspace a URI belongs to, and back.
 *
 * @module
 */
import { readdirSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Workspace } from '../../compiler/server/index.js';
import { fileHost, packageRoot, projectRoot } from '../host.js';

/** A document, and where it stands in its project. */
export interface Located {
  readonly uri: string;
  readonly workspace: Workspace;
  /** Path in the project. */
  readonly file: string;
}

/** Specs that are looked at for what is asked of a whole project. */
const mostFiles = 2000;
/** How deep folders are searched for them. */
const deepest = 12;
/** How long a list of files is taken to be current, in milliseconds, where nobody says that it changed. */
const listFor = 2000;

export class Projects {
  private readonly byRoot = new Map<string, Workspace>();
  private readonly roots = new Map<Workspace, string>();
  /** The URIs under which documents were opened, by path: editors spell the same file in several ways. */
  private readonly uris = new Map<string, string>();
  private readonly lists = new Map<string, { readonly files: readonly string[]; readonly until: number }>();

  /** The document of a URI. One that is no file is alone in a project of its own. */
  locate(uri: string): Located {
    const path = pathOf(uri);
    if (path === undefined) {
      const root = `memory:${uri}`;
      return { uri, workspace: this.workspace(root, undefined), file: 'untitled.mmd' };
    }
    const root = projectRoot(path);
    return { uri, workspace: this.workspace(root, path), file: relative(root, path).split(sep).join('/') };
  }

  /** Remembers how the editor writes the name of a document. */
  opened(uri: string): void {
    const path = pathOf(uri);
    if (path !== undefined) this.uris.set(path, uri);
  }

  closed(uri: string): void {
    const path = pathOf(uri);
    if (path !== undefined) this.uris.delete(path);
  }

  /** The URI of a file of a workspace, or of the library. */
  uri(workspace: Workspace, file: string): string {
    const root = this.roots.get(workspace) ?? '';
    if (root.startsWith('memory:') && !file.startsWith('std/')) return root.slice('memory:'.length);
    const path = file.startsWith('std/')
      ? join(packageRoot(), 'stdlib', `${file.slice(4)}.mmd`)
      : resolve(root, file);
    return this.uris.get(path) ?? pathToFileURL(path).href;
  }

  /** Every workspace that has been asked for. */
  get workspaces(): readonly Workspace[] {
    return [...this.byRoot.values()];
  }

  /** Files have come or gone. */
  listsChanged(): void {
    this.lists.clear();
  }

  private workspace(root: string, path: string | undefined): Workspace {
    let workspace = this.byRoot.get(root);
    if (!workspace) {
      const { host } = fileHost(path ?? join(packageRoot(), 'untitled.mmd'));
      const missing = { ok: false, reason: 'missing', detail: 'the document is not saved yet' } as const;
      workspace = new Workspace({
        read: (name) => (path === undefined ? missing : host.read(name)),
        readLibrary: (name) => host.readLibrary(name),
        libraryModules: () => host.libraryModules(),
        files: () => (path === undefined ? [] : this.list(root)),
      });
      this.byRoot.set(root, workspace);
      this.roots.set(workspace, root);
    }
    return workspace;
  }

  private list(root: string): readonly string[] {
    const known = this.lists.get(root);
    if (known && known.until > Date.now()) return known.files;
    const files: string[] = [];
    const visit = (folder: string, depth: number): void => {
      for (const entry of entriesOf(folder)) {
        if (files.length >= mostFiles || entry.name.startsWith('.') || entry.name === 'node_modules')
          continue;
        const path = join(folder, entry.name);
        if (entry.isDirectory() && depth < deepest) visit(path, depth + 1);
        else if (entry.isFile() && entry.name.endsWith('.mmd'))
          files.push(relative(root, path).split(sep).join('/'));
      }
    };
    visit(root, 0);
    this.lists.set(root, { files, until: Date.now() + listFor });
    return files;
  }
}

/** The entries of a folder; none where it cannot be read. */
function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function pathOf(uri: string): string | undefined {
  try {
    return uri.startsWith('file:') ? fileURLToPath(uri) : undefined;
  } catch {
    return undefined;
  }
}
