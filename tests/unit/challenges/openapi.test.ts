import { describe, expect, it } from 'vitest';
import { loadChallenge } from '../../../src/challenges/load-challenge.ts';
import { readOpenApi } from '../../../src/challenges/openapi/read-openapi.ts';
import { parseSpecYaml } from '../../../src/challenges/spec-yaml.ts';
import { contractChecks, refusedMethods } from '../../../src/domain/contract-checks.ts';
import type { SpecProblem } from '../../../src/domain/errors.ts';
import { planStages } from '../../../src/grading/plan-stages.ts';
import { makeBundle, SOUND_BUNDLE } from './bundle-fixture.ts';

const DOCUMENT = `openapi: 3.0.3
info: { title: Things, version: '1' }
paths:
  /things:
    post:
      operationId: makeThing
      requestBody:
        content: { application/json: { schema: { $ref: '#/components/schemas/Thing' } } }
      responses:
        '201':
          description: Made
          content: { application/json: { schema: { $ref: '#/components/schemas/Thing' } } }
  /things/{id}: { get: { parameters: [{ $ref: '#/components/parameters/Id' }], responses: {
      '200': { description: It }, default: { description: Not it } } } }
components:
  parameters:
    Id: { name: id, in: path, required: true, schema: { type: string } }
  schemas:
    Thing:
      type: object
      required: [id, size, secret]
      properties:
        id: { type: string, readOnly: true }
        secret: { type: string, writeOnly: true }
        size: { type: integer, minimum: 0, exclusiveMinimum: true, nullable: true }
        inside: { $ref: '#/components/schemas/Thing' }
`;

function read(document: string) {
  const problems: SpecProblem[] = [];
  const yaml = parseSpecYaml('openapi.yaml', document, problems);
  if (!yaml) {
    throw new Error(JSON.stringify(problems));
  }
  return { ...readOpenApi(yaml, problems), problems };
}

describe('an OpenAPI document', () => {
  it('is read with its references, in both directions and without the dialect of 3.0', () => {
    const { operations, requestDefs, responseDefs, problems } = read(DOCUMENT);
    expect(problems).toEqual([]);
    expect(operations.map(({ id, method, path }) => [id, method, path])).toEqual([
      ['makeThing', 'POST', '/things'],
      ['get-things-id', 'GET', '/things/{id}'],
    ]);
    expect(operations[0]?.body?.schema).toEqual({ $ref: '#/$defs/Thing' });
    const size = { type: ['integer', 'null'], exclusiveMinimum: 0 };
    expect(requestDefs['Thing']).toMatchObject({
      required: ['size', 'secret'],
      properties: { size, inside: { $ref: '#/$defs/Thing' } },
    });
    expect(responseDefs['Thing']).toMatchObject({ required: ['id', 'size'], properties: { size } });
  });

  it('decides the checks before anything runs', () => {
    const { operations } = read(DOCUMENT);
    expect(contractChecks(operations).map(({ id }) => id)).toEqual([
      'contract/makeThing/not_a_server_error',
      'contract/makeThing/status_code_conformance',
      'contract/makeThing/content_type_conformance',
      'contract/makeThing/response_schema_conformance',
      'contract/makeThing/positive_data_acceptance',
      'contract/makeThing/negative_data_rejection',
      'contract/makeThing/unsupported_method',
      'contract/makeThing/ensure_resource_availability',
      'contract/get-things-id/not_a_server_error',
      'contract/get-things-id/status_code_conformance',
      'contract/get-things-id/positive_data_acceptance',
      'contract/get-things-id/unsupported_method',
    ]);
    expect(refusedMethods('/things', operations)).toEqual(['GET']);
  });

  it.each([
    ['openapi: 3.0.3', "openapi: '2.0'", /version 3\.0 or 3\.1/],
    ['parameters/Id', 'parameters/Ib', /points at nothing/],
    ["'#/components/schemas/Thing' } } }\n      responses", 'http://x/a } } }\n      responses', /leads out/],
    ['in: path', 'in: body', /in: path, query, header, cookie/],
    ['type: integer', 'type: number1', /the schema is wrong here/],
    ['type: string, readOnly', "type: string, pattern: '(', readOnly", /not a regular expression/],
    ["'201':", "'20':", /"20" is not a status/],
    [
      'requestBody:\n        content: { application/json',
      'requestBody:\n        content: { text/plain',
      /no application\/json/,
    ],
    ['/things:', 'things:', /does not begin with "\/"/],
    ['/things/{id}: { get:', '/things/{key}: { get:', /the path has \{key\}/],
  ])('is refused at its line with %s → %s', (from, to, message) => {
    expect(DOCUMENT).toContain(from);
    const line = DOCUMENT.slice(0, DOCUMENT.indexOf(from)).split('\n').length;
    const [first] = read(DOCUMENT.replace(from, to)).problems;
    expect(first?.message).toMatch(message);
    expect(first).toMatchObject({ file: 'openapi.yaml', line });
  });
});

describe('the contract stage of a bundle', () => {
  function bundle(stage: string) {
    const challenge = (SOUND_BUNDLE['challenge.yaml'] ?? '').replace(
      'stages:\n',
      `stages:\n  contract: ${stage}\n`,
    );
    return loadChallenge(makeBundle({ 'challenge.yaml': challenge, 'openapi.yaml': DOCUMENT }));
  }

  it('is planned after the api stage, without what it leaves out', async () => {
    const challenge = await bundle(
      '{ weight: 10, openapi: openapi.yaml, leaveOut: [contract/makeThing/positive_data_acceptance] }',
    );
    const plans = planStages(challenge, { visibleOnly: false });
    expect(plans.map(({ name }) => name)).toEqual(['api', 'contract', 'load']);
    expect(plans[1]?.checks).toHaveLength(11);
    expect(planStages(challenge, { visibleOnly: true }).map(({ name }) => name)).toEqual(['api']);
  });

  it.each([
    ['{ weight: 10, openapi: opanapi.yaml }', 'did you mean "openapi.yaml"?'],
    [
      '{ weight: 10, openapi: openapi.yaml, leaveOut: [contract/makeThing/positive_data_acceptence] }',
      'did you mean "contract/makeThing/positive_data_acceptance"?',
    ],
  ])('names what does not exist: %s', async (stage, mend) => {
    await expect(bundle(stage)).rejects.toThrow(mend);
  });
});
