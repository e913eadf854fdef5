/** Claim sets of platforms as they document them, with the rules that a client would have, and claims that must not match. */

import type { ClaimRules, TrustedIssuer } from '../../src/types.ts'
import { ISSUER, NOW } from '../support/world.ts'

export type Claims = Readonly<Record<string, unknown>>

/** A platform, a client's rules for it, and claims that differ from a good token. `undefined` removes a claim. */
export interface Platform {
  readonly name: string
  /** The record of the issuer, without what its preset fills. */
  readonly issuer: Pick<TrustedIssuer, 'issuer'> & Partial<TrustedIssuer>
  readonly header: Claims
  readonly claims: Claims
  readonly rules: ClaimRules
  readonly good: readonly (readonly [name: string, claims: Claims])[]
  /** Refused with `federation_no_rule`. */
  readonly bad: readonly (readonly [name: string, claims: Claims])[]
}

const typed = { typ: 'JWT', kid: 'platform', alg: 'RS256' }
const times = { iat: NOW, nbf: NOW, exp: NOW + 300 }
const uuid = '7a3e0c3e-0000-4000-8000-000000000001'

const github: Platform = {
  name: 'GitHub Actions',
  issuer: { issuer: 'https://token.actions.githubusercontent.com' },
  header: { ...typed, x5t: 'ykNaY4qM_ta4k2TgZOCEYLkcYlA' },
  claims: {
    ...times,
    nbf: NOW - 600,
    jti: 'example-id',
    sub: 'repo:octo-org/octo-repo:environment:production',
    environment: 'production',
    ref: 'refs/heads/main',
    ref_protected: 'true',
    ref_type: 'branch',
    sha: 'example-sha',
    repository: 'octo-org/octo-repo',
    repository_id: '74',
    repository_owner: 'octo-org',
    repository_owner_id: '65',
    repository_visibility: 'private',
    actor: 'octocat',
    actor_id: '12',
    workflow: 'example-workflow',
    workflow_ref: 'octo-org/octo-repo/.github/workflows/deploy.yml@refs/heads/main',
    job_workflow_ref: 'octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main',
    event_name: 'workflow_dispatch',
    head_ref: '',
    base_ref: '',
    run_id: 'example-run-id',
    run_number: '10',
    run_attempt: '2',
    runner_environment: 'github-hosted',
    enterprise: 'avocado-corp',
    enterprise_id: '2',
  },
  rules: {
    repository_id: '74',
    repository_owner_id: '65',
    environment: 'production',
    ref: { glob: 'refs/heads/*' },
    event_name: ['push', 'workflow_dispatch'],
  },
  good: [
    ['the immutable sub', { sub: 'repo:octo-org@65/octo-repo@74:environment:production' }],
    ['a sub that its organisation customised', { sub: 'repository_owner:octo-org:repository_visibility:private' }],
    ['a sub of the id alone', { sub: 'repository_id:74' }],
    [
      'owner and repository renamed',
      { repository: 'new/name', repository_owner: 'new', sub: 'repo:new@65/name@74:environment:production' },
    ],
    ['another branch', { ref: 'refs/heads/release-1.0' }],
  ],
  bad: [
    ['another repository', { repository_id: '75' }],
    ['a repository of the same name, registered again', { repository_id: '900', repository_owner_id: '901' }],
    [
      'an organisation whose name begins alike',
      { repository: 'octo-org-evil/octo-repo', repository_id: '76', repository_owner_id: '66' },
    ],
    ['pull_request_target', { event_name: 'pull_request_target' }],
    ['workflow_run', { event_name: 'workflow_run' }],
    [
      'a pull request, without environment',
      { environment: undefined, ref: 'refs/pull/1/merge', event_name: 'pull_request' },
    ],
    ['no environment', { environment: undefined }],
    ['environment null', { environment: null }],
    ['environment in another letter case', { environment: 'Production' }],
    ['an environment whose name begins alike', { environment: 'production-evil' }],
    ['the environment in a list in a list', { environment: [['production']] }],
    ['an id as a number', { repository_id: 74 }],
    ['an id as an object', { repository_id: { toString: '74' } }],
    ['an id with a space', { repository_id: '74 ' }],
    ['a tag', { ref: 'refs/tags/v1' }],
    ['a branch with a slash', { ref: 'refs/heads/a/b' }],
    ['an empty ref', { ref: '' }],
    ['no ids', { repository_id: undefined, repository_owner_id: undefined }],
  ],
}

const gitlab: Platform = {
  name: 'GitLab CI',
  issuer: { issuer: 'https://gitlab.com' },
  header: typed,
  claims: {
    ...times,
    nbf: NOW - 5,
    exp: NOW + 3600,
    jti: '235b3a54-b797-45c7-ae9a-f72d7bc6ef5b',
    sub: 'project_path:my-group/my-project:ref_type:branch:ref:main',
    namespace_id: '72',
    namespace_path: 'my-group',
    project_id: '20',
    project_path: 'my-group/my-project',
    project_visibility: 'public',
    user_id: '1',
    user_login: 'sample-user',
    pipeline_id: '574',
    pipeline_source: 'push',
    job_id: '302',
    ref: 'main',
    ref_type: 'branch',
    ref_path: 'refs/heads/main',
    ref_protected: 'true',
    environment: 'production',
    environment_protected: 'true',
    deployment_tier: 'production',
    runner_id: 1,
    runner_environment: 'self-hosted',
    groups_direct: ['mygroup/mysubgroup', 'myothergroup'],
  },
  rules: { project_id: '20', ref_protected: 'true', runner_id: 1, groups_direct: 'myothergroup' },
  good: [['moved to another group', { namespace_id: '73', project_path: 'other/my-project' }]],
  bad: [
    ['a branch that is not protected', { ref_protected: 'false' }],
    ['a boolean instead of text', { ref_protected: true }],
    ['a number instead of text', { project_id: 20 }],
    ['text instead of a number', { runner_id: '1' }],
    ['none of the groups', { groups_direct: ['myothergroup-evil', ['myothergroup']] }],
    ['a fork', { project_id: '21' }],
  ],
}

const kubernetes: Platform = {
  name: 'Kubernetes',
  issuer: {
    issuer: 'https://oidc.eks.eu-central-1.amazonaws.com/id/D3ADB33F',
    preset: 'kubernetes',
  },
  header: { alg: 'ES256', kid: 'cluster' },
  claims: {
    ...times,
    aud: [ISSUER],
    exp: NOW + 3607,
    jti: 'a8cd0ee4-e26d-4e0b-8e5b-4b1bc1b2e1f1',
    sub: 'system:serviceaccount:prod:deployer',
    'kubernetes.io': {
      namespace: 'prod',
      node: { name: 'node-1', uid: '9a' },
      pod: { name: 'deployer-0', uid: '9b' },
      serviceaccount: { name: 'deployer', uid: '9c' },
      warnafter: NOW + 3607,
    },
  },
  rules: {
    sub: 'system:serviceaccount:prod:deployer',
    '/kubernetes.io/serviceaccount/uid': '9c',
    '/kubernetes.io/pod/name': { glob: 'deployer-*' },
  },
  good: [
    [
      'another pod of the same workload',
      { 'kubernetes.io': { pod: { name: 'deployer-1' }, serviceaccount: { uid: '9c' } } },
    ],
  ],
  bad: [
    ['another namespace', { sub: 'system:serviceaccount:dev:deployer' }],
    [
      'a service account that was made again',
      { 'kubernetes.io': { pod: { name: 'deployer-0' }, serviceaccount: { uid: '9d' } } },
    ],
    ['no pod', { 'kubernetes.io': { serviceaccount: { uid: '9c' } } }],
    ['the members of the pointer in a list', { 'kubernetes.io': [{ serviceaccount: { uid: '9c' } }] }],
    [
      'the members of the pointer in a prototype',
      JSON.parse('{"kubernetes.io":{"__proto__":{"serviceaccount":{"uid":"9c"},"pod":{"name":"deployer-0"}}}}'),
    ],
    ['a sub in a list', { sub: ['system:serviceaccount:prod:deployer'] }],
  ],
}

const google: Platform = {
  name: 'Google metadata server',
  issuer: { issuer: 'https://accounts.google.com' },
  header: typed,
  claims: {
    ...times,
    nbf: undefined,
    exp: NOW + 3600,
    azp: '104029292853099978293',
    sub: '104029292853099978293',
    email: 'deployer@project.iam.gserviceaccount.com',
    email_verified: true,
    google: { compute_engine: { project_id: 'project', zone: 'europe-west3-a', instance_name: 'vm' } },
  },
  rules: { sub: '104029292853099978293', email_verified: true, '/google/compute_engine/project_id': 'project' },
  good: [],
  bad: [
    ['another account of the same address', { sub: '104029292853099978294' }],
    ['a number as sub', { sub: 104029292853099 }],
    ['not verified', { email_verified: 'true' }],
  ],
}

const azure: Platform = {
  name: 'Azure managed identity',
  issuer: {
    issuer: 'https://sts.windows.net/9188040d-6c67-4c5b-b112-36a304b66dad/',
    preset: 'azure',
    audiences: ['api://edgemint'],
    max_age: 86_400,
  },
  header: { ...typed, x5t: 'abc' },
  claims: {
    ...times,
    aud: 'api://edgemint',
    exp: NOW + 86_700,
    iat: NOW - 300,
    nbf: NOW - 300,
    appid: 'app',
    appidacr: '2',
    idp: 'https://sts.windows.net/9188040d-6c67-4c5b-b112-36a304b66dad/',
    oid: uuid,
    sub: uuid,
    tid: '9188040d-6c67-4c5b-b112-36a304b66dad',
    uti: 'x',
    ver: '1.0',
  },
  rules: { sub: uuid, tid: '9188040d-6c67-4c5b-b112-36a304b66dad' },
  good: [['for this server by its issuer', { aud: ISSUER }]],
  bad: [
    ['another identity of the tenant', { sub: `${uuid}0`, oid: `${uuid}0` }],
    ['another tenant', { tid: 'other' }],
  ],
}

const aws: Platform = {
  name: 'AWS GetWebIdentityToken',
  issuer: { issuer: 'https://d3adb33f.tokens.sts.global.api.aws', preset: 'aws' },
  header: { ...typed, alg: 'ES384', kid: 'aws' },
  claims: {
    ...times,
    jti: 'f1',
    sub: 'arn:aws:iam::123456789012:role/deployer',
    'https://sts.amazonaws.com/': {
      aws_account: '123456789012',
      source_region: 'eu-central-1',
      principal_id: 'arn:aws:iam::123456789012:role/deployer',
      request_tags: { team: 'a' },
    },
  },
  rules: {
    sub: 'arn:aws:iam::123456789012:role/deployer',
    '/https:~1~1sts.amazonaws.com~1/aws_account': '123456789012',
  },
  good: [['other request tags', { 'https://sts.amazonaws.com/': { aws_account: '123456789012', request_tags: {} } }]],
  bad: [
    ['another role', { sub: 'arn:aws:iam::123456789012:role/deployer-evil' }],
    [
      'the account as a request tag',
      { 'https://sts.amazonaws.com/': { request_tags: { aws_account: '123456789012' } } },
    ],
  ],
}

const circleci: Platform = {
  name: 'CircleCI',
  issuer: { issuer: `https://oidc.circleci.com/org/${uuid}`, audiences: [uuid] },
  header: typed,
  claims: {
    ...times,
    nbf: undefined,
    aud: uuid,
    sub: `org/${uuid}/project/${uuid}/user/${uuid}`,
    'oidc.circleci.com/project-id': uuid,
    'oidc.circleci.com/context-ids': ['c1', 'c2'],
    'oidc.circleci.com/vcs-origin': 'github.com/octo-org/octo-repo',
    'oidc.circleci.com/vcs-ref': 'refs/heads/main',
  },
  rules: {
    'oidc.circleci.com/project-id': uuid,
    'oidc.circleci.com/context-ids': 'c2',
    sub: { glob: `org/${uuid}/project/${uuid}/user/*` },
  },
  good: [['another user', { sub: `org/${uuid}/project/${uuid}/user/other` }]],
  bad: [
    ['another project', { 'oidc.circleci.com/project-id': `${uuid}0` }],
    ['without the context', { 'oidc.circleci.com/context-ids': ['c1'] }],
  ],
}

const buildkite: Platform = {
  name: 'Buildkite',
  issuer: { issuer: 'https://agent.buildkite.com' },
  header: typed,
  claims: {
    ...times,
    jti: 'b1',
    sub: 'organization:acme:pipeline:deploy:ref:refs/heads/main:commit:9f3182061f1e2cca4702c368cbc039b7dc9d4485:step:deploy',
    organization_slug: 'acme',
    organization_id: '0184990a-477b-4fa8-9968-496074483cee',
    pipeline_slug: 'deploy',
    pipeline_id: '0184990a-4782-42b5-afc1-16715b10b8ff',
    build_number: 1,
    build_branch: 'main',
    build_commit: '9f3182061f1e2cca4702c368cbc039b7dc9d4485',
    step_key: 'deploy',
    job_id: '0184990a-477b-4fa8-9968-496074483k77',
    agent_id: '0184990a-4782-42b5-afc1-16715b10b1l0',
    build_source: 'ui',
    runner_environment: 'self-hosted',
  },
  rules: {
    pipeline_id: '0184990a-4782-42b5-afc1-16715b10b8ff',
    build_branch: 'main',
    sub: { glob: 'organization:acme:pipeline:deploy:ref:refs/heads/main:commit:*:step:deploy' },
  },
  good: [['another commit', { sub: 'organization:acme:pipeline:deploy:ref:refs/heads/main:commit:abc:step:deploy' }]],
  bad: [
    ['another pipeline', { pipeline_id: 'x' }],
    ['another branch', { build_branch: 'main-evil' }],
    [
      'a commit with parts of its own',
      { sub: 'organization:acme:pipeline:deploy:ref:refs/heads/main:commit:a:step:x:step:deploy' },
    ],
  ],
}

const terraform: Platform = {
  name: 'HCP Terraform',
  issuer: { issuer: 'https://app.terraform.io', max_age: 7200 },
  header: typed,
  claims: {
    ...times,
    exp: NOW + 7200,
    jti: 't1',
    sub: 'organization:my-org:project:Default Project:workspace:my-workspace:run_phase:apply',
    terraform_run_phase: 'apply',
    terraform_workspace_id: 'ws-8JEnH9tZK6LgVuGB',
    terraform_workspace_name: 'my-workspace',
    terraform_organization_id: 'org-GRNbCjYNpBB6NEBH',
    terraform_organization_name: 'my-org',
    terraform_project_id: 'prj-vegSA59s1XPwMr2t',
    terraform_run_id: 'run-3nhgFxHmRpUXLGvZ',
    terraform_full_workspace: 'organization:my-org:project:Default Project:workspace:my-workspace',
  },
  rules: { terraform_workspace_id: 'ws-8JEnH9tZK6LgVuGB', terraform_run_phase: ['plan', 'apply'] },
  good: [['the other phase', { terraform_run_phase: 'plan' }]],
  bad: [['another workspace', { terraform_workspace_id: 'ws-x' }]],
}

const vercel: Platform = {
  name: 'Vercel',
  issuer: { issuer: 'https://oidc.vercel.com/acme', audiences: ['https://vercel.com/acme'] },
  header: typed,
  claims: {
    ...times,
    aud: 'https://vercel.com/acme',
    exp: NOW + 3600,
    sub: 'owner:acme:project:acme_website:environment:production',
    scope: 'owner:acme:project:acme_website:environment:production',
    owner: 'acme',
    owner_id: 'team_7Gw5ZMzpQA8h90F832KGp7nwbuh3',
    project: 'acme_website',
    project_id: 'prj_7Gw5ZMBpQA8h9GF832KGp7nwbuh3',
    environment: 'production',
  },
  rules: { project_id: 'prj_7Gw5ZMBpQA8h9GF832KGp7nwbuh3', environment: 'production' },
  good: [['renamed', { project: 'other', sub: 'owner:acme:project:other:environment:production' }]],
  bad: [
    ['a preview', { environment: 'preview' }],
    ['another team with the same keys', { project_id: 'prj_x', owner_id: 'team_x' }],
  ],
}

const fly: Platform = {
  name: 'Fly.io',
  issuer: { issuer: 'https://oidc.fly.io/acme' },
  header: typed,
  claims: {
    ...times,
    exp: NOW + 600,
    jti: 'f1',
    sub: 'acme:deployer:3d8dd15c1ed778',
    app_id: '3671581',
    app_name: 'deployer',
    machine_id: '3d8dd15c1ed778',
    machine_name: 'weathered-dust',
    org_id: '29873298',
    org_name: 'acme',
    region: 'fra',
  },
  rules: { app_id: '3671581', org_id: '29873298', sub: { glob: 'acme:deployer:*' } },
  good: [['another machine', { sub: 'acme:deployer:other', machine_id: 'other' }]],
  bad: [['another app', { app_id: '3671582' }]],
}

const bitbucket: Platform = {
  name: 'Bitbucket',
  issuer: {
    issuer: 'https://api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc',
    audiences: ['ari:cloud:bitbucket::workspace/1'],
  },
  header: typed,
  claims: {
    ...times,
    aud: 'ari:cloud:bitbucket::workspace/1',
    sub: '{r1}:{s1}',
    repositoryUuid: '{r1}',
    workspaceUuid: '{w1}',
    deploymentEnvironmentUuid: '{d1}',
    branchName: 'main',
    stepUuid: '{s1}',
  },
  rules: { repositoryUuid: '{r1}', deploymentEnvironmentUuid: '{d1}' },
  good: [['another step', { sub: '{r1}:{s2}', stepUuid: '{s2}' }]],
  bad: [['another repository', { repositoryUuid: '{r2}', sub: '{r2}:{s1}' }]],
}

const keycloak: Platform = {
  name: 'a realm of Keycloak',
  issuer: { issuer: 'https://sso.example/realms/up' },
  header: typed,
  claims: {
    ...times,
    jti: 'trrtcc:1',
    typ: 'Bearer',
    azp: 'deployer',
    sub: uuid,
    scope: 'profile email',
    client_id: 'deployer',
    realm_access: { roles: ['offline_access'] },
  },
  rules: { sub: uuid, azp: 'deployer', '/realm_access/roles': 'offline_access' },
  good: [],
  bad: [['another client', { sub: 'other', azp: 'other' }]],
}

export const PLATFORMS: readonly Platform[] = [
  ...[github, gitlab, kubernetes, google, azure, aws, circleci],
  ...[buildkite, terraform, vercel, fly, bitbucket, keycloak],
]
