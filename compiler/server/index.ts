/**
 * What editors ask of a spec, as functions over its analysis: no protocol, no files, nothing of Node, so the same
 * features serve `mmdc lsp` and a page in a browser.
 *
 * @module
 */
export { completion } from './completion.js';
export { codeLenses, inlayHints, lensText, type LensData } from './hints.js';
export { hover } from './hover.js';
export {
  definition,
  references,
  renamable,
  rename,
  RenameRefused,
  symbolAt,
  type FileLocation,
} from './navigation.js';
export { documentSymbols, foldingRanges, selectionRanges, workspaceSymbols } from './outline.js';
export { editsBetween, offsetAt, positionAt, rangeAt } from './positions.js';
export { codeActions, diagnosticsOf } from './problems.js';
export { signatureHelp } from './signature.js';
export { declarationSnippets, memberSnippets, modalityTypes, type Snippet } from './snippets.js';
export { semanticTokens, tokenModifiers, tokenTypes } from './tokens.js';
export { Workspace, type Checked, type Parsed, type WorkspaceHost } from './workspace.js';
