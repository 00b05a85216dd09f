/**
 * What the code must not do. Types decide most of it (typescript-eslint, type-aware); the import rules between rooms
 * live in .dependency-cruiser.cjs and formatting belongs to prettier.
 */
import globals from 'globals'
import svelte from 'eslint-plugin-svelte'
import tseslint from 'typescript-eslint'

const projects = ['./tsconfig.json', './web/tsconfig.json', './web/tsconfig.test.json']

/** House rules on top of the presets; each enforces a line of CONTRIBUTING.md. */
const houseRules = {
  // `as` hides a missing check; only `as const` is allowed.
  '@typescript-eslint/consistent-type-assertions': ['error', { assertionStyle: 'never' }],
  '@typescript-eslint/consistent-type-imports': ['error', { prefer: 'type-imports', fixStyle: 'inline-type-imports' }],
  '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
  '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
  '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'none' }],
  '@typescript-eslint/no-confusing-void-expression': [
    'error',
    { ignoreArrowShorthand: true, ignoreVoidOperator: true, ignoreVoidReturningFunctions: true },
  ],
  '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { attributes: false } }],
  // Names that come from outside stay in brackets: the compiler does not know them either.
  '@typescript-eslint/dot-notation': 'off',
  // A class without state would be a namespace; a frozen interface without members is a mistake.
  '@typescript-eslint/no-extraneous-class': 'error',
  // Interfaces of ports are written with methods; what they are made of is the factory's business.
  '@typescript-eslint/method-signature-style': 'off',
  // What `createX` makes is made of closures: its methods know no `this` and may be passed on.
  '@typescript-eslint/unbound-method': 'off',
  // Empty callbacks are how "harmless" is written.
  '@typescript-eslint/no-empty-function': 'off',
  // The port says `Promise`, the simple implementation has nothing to wait for.
  '@typescript-eslint/require-await': 'off',
  // `while (true)` with a bounded body is plainer than a flag.
  '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: 'only-allowed-literals' }],
  eqeqeq: 'error',
  'no-console': 'error',
  'no-constant-binary-expression': 'error',
  'no-template-curly-in-string': 'error',
  'no-eval': 'error',
  'no-implied-eval': 'off',
  'object-shorthand': 'error',
  'prefer-const': 'error',
}

/** Only relay/main.ts and the command line tools may know the process they run in. */
const noProcess = {
  'no-restricted-globals': ['error', { name: 'process', message: 'Only relay/main.ts touches the process; pass what you need.' }],
  'no-restricted-imports': [
    'error',
    {
      paths: [
        { name: 'node:process', message: 'Only relay/main.ts touches the process.' },
        { name: 'process', message: 'Only relay/main.ts touches the process.' },
      ],
    },
  ],
}

/** Time and chance come through `Clock` and `Random`, so that tests can turn the hands. */
const noWallClock = {
  'no-restricted-syntax': [
    'error',
    { selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']", message: 'Take the Clock port.' },
    { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'Take the Clock port.' },
    { selector: "CallExpression[callee.object.name='Math'][callee.property.name='random']", message: 'Take the Random port.' },
    { selector: 'CallExpression[callee.name=/^(setTimeout|setInterval)$/]', message: 'Take the Clock port.' },
  ],
}

const tests = ['**/*.test.ts', '**/*.test.svelte.ts', 'shared/testing/**', 'web/e2e/**', 'relay/**/testing/**']
const tools = ['scripts/**', 'bench/**', 'examples/**', 'model/**', '*.config.*', 'relay/main.ts']

export default tseslint.config(
  {
    ignores: [
      'dist/',
      'node_modules/',
      'shared/generated/',
      'web/src/paraglide/',
      'web/public/',
      'docs/',
      'model/.cache/',
      'model/*.mjs',
      'coverage/',
      '.cache/',
      '.claude/',
      'test-results/',
      'playwright-report/',
      'web/project.inlang/',
    ],
  },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts', '**/*.svelte', '**/*.svelte.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { project: projects, tsconfigRootDir: import.meta.dirname, extraFileExtensions: ['.svelte'] } },
    rules: houseRules,
  },
  ...svelte.configs.recommended,
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { globals: globals.browser, parserOptions: { parser: tseslint.parser } },
    rules: {
      // The markup's types come from svelte-check; what the parser sees of it here is too weak for these.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-confusing-void-expression': 'off',
      'prefer-const': 'off',
      'svelte/prefer-const': 'error',
      'svelte/no-at-html-tags': 'error',
      'svelte/button-has-type': 'error',
      // A strict CSP forbids style attributes; the directive sets properties and passes.
      'svelte/no-inline-styles': ['error', { allowTransitions: true }],
      // What changes at frame rate is kept out of reactive state on purpose.
      'svelte/prefer-svelte-reactivity': 'off',
      // There is no SvelteKit here.
      'svelte/no-navigation-without-resolve': 'off',
    },
  },
  { files: ['relay/**', 'shared/**'], ignores: [...tests, ...tools], rules: noProcess },
  { files: ['relay/{hub,session,dialect,service,auth}/**'], ignores: tests, rules: noWallClock },
  { files: tools, rules: { 'no-console': 'off' } },
  {
    files: tests,
    rules: {
      // A test may look into the unknown; a wrong guess fails it.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
    },
  },
  {
    files: ['**/*.js', '**/*.mjs', '**/*.cjs'],
    languageOptions: { globals: { ...globals.node } },
    rules: { eqeqeq: 'error', 'no-undef': 'error', 'no-unused-vars': 'error', 'prefer-const': 'error', 'object-shorthand': 'error' },
  },
)
