'use strict'

const tseslint = require('typescript-eslint')

const node = {
  ...{ require: 'readonly', module: 'writable', exports: 'writable', __dirname: 'readonly' },
  ...{ __filename: 'readonly' },
  ...{ process: 'readonly', console: 'readonly', Buffer: 'readonly', URL: 'readonly' },
  ...{ setTimeout: 'readonly', clearTimeout: 'readonly', setImmediate: 'readonly' },
  ...{ setInterval: 'readonly', clearInterval: 'readonly', performance: 'readonly' },
  ...{ structuredClone: 'readonly', fetch: 'readonly', AbortSignal: 'readonly' },
  ...{ AbortController: 'readonly' },
}

module.exports = tseslint.config(
  {
    ignores: ['**/node_modules/', 'dist/', 'build*/', 'prebuilds/', '.tap/', '**/generated/'],
  },
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'object-shorthand': 'error',
    },
  },
  {
    files: ['**/*.ts', '**/*.mts', '**/*.cts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: __dirname },
    },
    rules: {
      // What is required lazily is typed by import().
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      // The addon, in lib/native.ts, cannot be imported; some of Node's own modules are loaded only
      // by those who need them, because loading them takes longer than a lockdown.
      '@typescript-eslint/no-require-imports': [
        'error',
        {
          allow: [
            ...['\\.node$', '^node:', '^\\./prepared', '^\\./on-demand$', '^\\./generated/'],
            ...[
              '^\\./(tooling|logs|manifests)$',
              '^\\./commands/',
              '^seccomp-ts/package\\.json$',
              '^jsonc-parser/',
              '^yaml$',
            ],
          ],
        },
      ],
      // Numbers are what system calls are made of.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // tap waits for its own subtests and promises.
      '@typescript-eslint/no-floating-promises': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/non-nullable-type-assertion-style': 'off',
      '@typescript-eslint/no-dynamic-delete': 'off',
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      '@typescript-eslint/unbound-method': 'off',
      // The lines of a type test: what is expected stands in them.
      '@typescript-eslint/ban-ts-comment': ['error', { 'ts-expect-error': false }],
      // A tap test is an instance of a class made of plugins.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
    },
  },
  {
    files: ['**/*.js'],
    extends: [tseslint.configs.eslintRecommended],
    languageOptions: { sourceType: 'commonjs', globals: node },
    rules: {
      'no-undef': 'error',
      'no-unused-vars': ['error', { ignoreRestSiblings: true }],
      strict: ['error', 'global'],
    },
  },
  {
    files: ['**/*.mjs'],
    extends: [tseslint.configs.eslintRecommended],
    languageOptions: { sourceType: 'module', globals: node },
    rules: { 'no-undef': 'error', 'no-unused-vars': 'error' },
  },
)
