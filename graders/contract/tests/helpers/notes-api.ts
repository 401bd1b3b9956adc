import type http from 'node:http';

/** A document with something for every kind of check. */
export const NOTES_OPENAPI = `openapi: 3.1.0
info: { title: Notes, version: '1' }
paths:
  /notes:
    post:
      operationId: createNote
      requestBody:
        required: true
        content:
          application/json:
            schema: { $ref: '#/components/schemas/NewNote' }
      responses:
        '201':
          description: Made
          headers: { Location: { required: true, schema: { type: string, pattern: ^/notes/ } } }
          content: { application/json: { schema: { $ref: '#/components/schemas/Note' } } }
        '400': { $ref: '#/components/responses/Error' }
    get:
      operationId: listNotes
      parameters:
        - { name: limit, in: query, schema: { type: integer, minimum: 1, maximum: 50 } }
        - { name: after, in: query, schema: { type: string } }
      responses:
        '200':
          description: Some
          content:
            application/json:
              schema:
                type: object
                required: [notes, next]
                properties:
                  notes: { type: array, items: { $ref: '#/components/schemas/Note' } }
                  next: { type: [string, 'null'] }
          links: { next: { operationId: listNotes, parameters: { after: $response.body#/next } } }
        '400': { $ref: '#/components/responses/Error' }
  /notes/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: string, pattern: '^[a-z0-9]{1,8}$' } }]
    get:
      operationId: showNote
      responses:
        '200': { description: It, content: { application/json: { schema: { $ref: '#/components/schemas/Note' } } } }
        '404': { $ref: '#/components/responses/Error' }
    put:
      operationId: replaceNote
      parameters: [{ name: X-Client, in: header, required: true, schema: { type: string, minLength: 1 } }]
      requestBody:
        required: true
        content: { application/json: { schema: { $ref: '#/components/schemas/NewNote' } } }
      responses:
        '200': { description: It, content: { application/json: { schema: { $ref: '#/components/schemas/Note' } } } }
        '400': { $ref: '#/components/responses/Error' }
        '404': { $ref: '#/components/responses/Error' }
    delete:
      operationId: deleteNote
      responses:
        '204': { description: Gone }
        '404': { $ref: '#/components/responses/Error' }
  /admin:
    get:
      operationId: admin
      security: [{ token: [] }]
      responses:
        '200': { description: Fine, content: { application/json: { schema: { type: object } } } }
        '401': { $ref: '#/components/responses/Error' }
components:
  responses:
    Error:
      description: Wrong
      content: { application/json: { schema: { type: object, required: [error] } } }
  schemas:
    NewNote:
      type: object
      required: [title]
      additionalProperties: false
      properties:
        title: { type: string, minLength: 1, maxLength: 20 }
        stars: { type: integer, minimum: 1, maximum: 5 }
        kind: { enum: [plan, idea] }
        parent: { $ref: '#/components/schemas/NewNote' }
    Note:
      type: object
      required: [id, title]
      properties:
        id: { type: string }
        title: { type: string }
        stars: { type: [integer, 'null'] }
`;

/** What a faulty service does otherwise. A fault answers true when it has sent an answer of its own. */
export interface Fault {
  /** Before anything else. */
  answer?: (request: http.IncomingMessage, response: http.ServerResponse, body: string) => boolean;
  /** Is this body fine? Undefined asks the sound rule. */
  valid?: (body: unknown) => boolean | undefined;
  location?: string;
  deletes?: false;
  keeps?: false;
}

type Note = Record<string, unknown>;

/** One request, with what the service needs to answer it. */
interface Turn {
  request: http.IncomingMessage;
  response: http.ServerResponse;
  body: string;
  url: URL;
  notes: Map<string, Note>;
  fault: Fault;
}

/** A service that keeps to the document, but for its fault. */
export function makeNotesService(fault: Fault = {}) {
  const notes = new Map<string, Note>();
  return (request: http.IncomingMessage, response: http.ServerResponse, body: string): void => {
    const url = new URL(request.url ?? '/', 'http://x');
    const turn: Turn = { request, response, body, url, notes, fault };
    const id = /^\/notes\/([^/]+)$/.exec(url.pathname)?.[1];
    if (fault.answer?.(request, response, body)) {
      return;
    }
    if (url.pathname === '/admin') {
      admin(turn);
    } else if (url.pathname === '/notes') {
      onNotes(turn);
    } else if (id === undefined) {
      refuse(response, 404);
    } else {
      onNote(turn, id);
    }
  };
}

function admin({ request, response }: Turn): void {
  if (request.method === 'GET') {
    return send(response, request.headers.authorization === 'Bearer t' ? 200 : 401, { error: 'who are you' });
  }
  refuse(response, 405, 'GET');
}

function onNotes(turn: Turn): void {
  const { request, response, notes, fault } = turn;
  if (request.method === 'GET') {
    return list(turn);
  }
  if (request.method !== 'POST') {
    return refuse(response, 405, 'GET, POST');
  }
  const made = readNote(turn);
  if (!made) {
    return refuse(response, 400);
  }
  const id = `n${notes.size + 1}`;
  const note = { id, stars: null, ...made };
  if (fault.keeps !== false) {
    notes.set(id, note);
  }
  response.setHeader('location', fault.location ?? `/notes/${id}`);
  send(response, 201, note);
}

function list({ response, url, notes }: Turn): void {
  const limit = url.searchParams.get('limit') ?? '10';
  const after = url.searchParams.get('after') ?? '0';
  if (!/^\d+$/.test(limit) || Number(limit) < 1 || Number(limit) > 50 || !/^\d+$/.test(after)) {
    return refuse(response, 400);
  }
  const page = [...notes.values()].slice(Number(after), Number(after) + Number(limit));
  const next = page.length === Number(limit) ? String(Number(after) + page.length) : null;
  send(response, 200, { notes: page, next });
}

function onNote(turn: Turn, id: string): void {
  const { request, response, notes, fault } = turn;
  const note = notes.get(id);
  if (!['GET', 'PUT', 'DELETE'].includes(request.method ?? '')) {
    return refuse(response, 405, 'GET, PUT, DELETE');
  }
  if (request.method === 'PUT') {
    const made = readNote(turn);
    if (!made || request.headers['x-client'] === undefined) {
      return refuse(response, 400);
    }
    return note ? send(response, 200, { ...note, ...made }) : refuse(response, 404);
  }
  if (!note) {
    return refuse(response, 404);
  }
  if (request.method === 'GET') {
    return send(response, 200, note);
  }
  if (fault.deletes !== false) {
    notes.set(`${id} (deleted)`, note);
    notes.delete(id);
  }
  response.writeHead(204).end();
}

function readNote({ body, fault }: Turn): Note | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  return (fault.valid?.(value) ?? isNote(value)) ? (value as Note) : undefined;
}

export function isNote(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return false;
  }
  const { title, stars, kind, parent, ...others } = value as Note;
  return (
    Object.keys(others).length === 0 &&
    typeof title === 'string' &&
    title.length >= 1 &&
    title.length <= 20 &&
    [undefined, 1, 2, 3, 4, 5].includes(stars as number | undefined) &&
    [undefined, 'plan', 'idea'].includes(kind as string | undefined) &&
    (parent === undefined || isNote(parent))
  );
}

export function send(response: http.ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(body));
}

function refuse(response: http.ServerResponse, status: number, allow?: string): void {
  if (allow !== undefined) {
    response.setHeader('allow', allow);
  }
  send(response, status, { error: 'no' });
}
