/** Examples for the help of each command, by its words. */

export const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  '': ['npx edgemint clients create --name Reports --scope "reports.*"', 'npx edgemint clients --help'],
  clients: ['npx edgemint clients list', 'npx edgemint clients create --help'],
  'clients create': [
    'npx edgemint clients create --name Reports --scope "reports.*"',
    'npx edgemint clients create --id billing --resource https://api.example.com --resource https://pay.example.com',
    'npx edgemint clients create --auth-method private_key_jwt --jwks public-keys.json',
  ],
  'clients list': ['npx edgemint clients list', "npx edgemint clients list --json | jq -r '.[].client_id'"],
  'clients show': ['npx edgemint clients show billing'],
  'clients update': [
    'npx edgemint clients update billing --scope "invoices.* payments.read" --lifetime 600',
    'npx edgemint clients update billing --clear claims default_scope',
  ],
  'clients rotate-secret': ['npx edgemint clients rotate-secret billing --keep-old 24h --label 2027'],
  'clients revoke-secret': ['npx edgemint clients revoke-secret billing 4f1c9a --yes'],
  'clients revoke-tokens': ['npx edgemint clients revoke-tokens billing', 'npx edgemint clients revoke-tokens'],
  'clients disable': ['npx edgemint clients disable billing'],
  'clients enable': ['npx edgemint clients enable billing'],
  'clients delete': ['npx edgemint clients delete billing --yes'],
  'clients import': [
    'npx edgemint clients import clients.json --from hydra --dry-run',
    'npx edgemint clients import clients.json --from hydra --report report.jsonl',
  ],
  resources: ['npx edgemint resources list', 'npx edgemint resources create --help'],
  'resources create': ['npx edgemint resources create https://api.example.com --scope "reports.*" --default'],
  'resources update': ['npx edgemint resources update https://api.example.com --lifetime 300 --no-default'],
  'resources list': ['npx edgemint resources list'],
  'resources show': ['npx edgemint resources show https://api.example.com'],
  'resources delete': ['npx edgemint resources delete https://api.example.com --yes'],
  keys: ['npx edgemint keys generate --file signing-keys.json', 'npx edgemint keys rotate --help'],
  'keys generate': [
    'npx edgemint keys generate --file signing-keys.json',
    'npx edgemint keys generate --alg ES256 | npx wrangler secret put SIGNING_KEYS',
  ],
  'keys rotate': ['npx edgemint keys rotate --file signing-keys.json --announce 86400'],
  'keys list': ['npx edgemint keys list --file signing-keys.json --json'],
  complete: ['source <(npx edgemint complete bash)'],
}
