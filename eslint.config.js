import { builtinModules } from 'node:module';
import js from '@eslint/js';
import globals from 'globals';
import tseslint from 'typescript-eslint';

/** Layers import only from the layers below them: grammar <- compiler <- runtime. The lower two are pure. */
const pureLayer = (files, forbidden, message) => ({
  files,
  languageOptions: { globals: { ...globals['shared-node-browser'] } },
  rules: {
    'no-restricted-imports': [
      'error',
      {
        paths: builtinModules.map((name) => ({ name, message })),
        patterns: [{ group: ['node:*', ...forbidden], message }],
      },
    ],
  },
});

export default tseslint.config(
  {
    ignores: [
      'dist/',
      'editors/vscode/dist/',
      'node_modules/',
      'coverage/',
      'site/',
      'out/',
      'runs/',
      '.cache/',
    ],
  },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  {
    files: [
      'runtime/**',
      'test/**',
      'bench/**',
      'experiments/**',
      'scripts/**',
      'editors/**',
      'bin/**',
      '*.config.*',
    ],
    languageOptions: { globals: globals.node },
  },
  {
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
    },
  },
  pureLayer(
    ['grammar/**/*.ts'],
    ['**/compiler/**', '**/runtime/**'],
    'grammar is the lowest layer and pure: it imports neither compiler, runtime nor Node.',
  ),
  pureLayer(
    ['compiler/**/*.ts'],
    ['**/runtime/**'],
    'compiler is pure: it imports grammar, never runtime nor Node.',
  ),
);
