import js from '@eslint/js';
import globals from 'globals';
import tseslint from 'typescript-eslint';

/** Files of a layer may import only from the layers below it: grammar <- compiler <- runtime. */
const layer = (files, forbidden, message) => ({
  files,
  rules: { 'no-restricted-imports': ['error', { patterns: [{ group: forbidden, message }] }] },
});

const node = ['node:*', 'fs', 'path', 'os', 'process', 'worker_threads', 'child_process', 'crypto'];

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'coverage/', 'site/', 'out/', 'runs/', '.cache/'] },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  {
    languageOptions: { globals: globals.node },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
    },
  },
  layer(
    ['grammar/**/*.ts'],
    ['**/compiler/**', '**/runtime/**', ...node],
    'grammar is the lowest layer and pure: it imports neither compiler, runtime nor Node.',
  ),
  layer(
    ['compiler/**/*.ts'],
    ['**/runtime/**', ...node],
    'compiler is pure: it imports grammar, never runtime nor Node.',
  ),
);
