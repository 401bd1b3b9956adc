import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const APT_DIR = '/etc/apt';

/**
 * Where this machine gets Debian from: {main, updates, security} base addresses (undefined where it has none),
 * read from its apt sources at run time. Undefined when they hold no Debian archive for its own release.
 */
export function readHostMirror(codename, aptDir = APT_DIR) {
  const entries = sourceFiles(aptDir).flatMap((path) => parseSources(readFileSync(path, 'utf8'), path));
  function addressOf(suite) {
    const entry = entries.find((each) => each.suites.includes(suite) && each.components.includes('main'));
    return entry && resolveAddress(entry.uri);
  }
  const main = addressOf(codename);
  return (
    main && { main, updates: addressOf(`${codename}-updates`), security: addressOf(`${codename}-security`) }
  );
}

/** The apt sources of an image of `suite`, from the same places as the host's. */
export function imageSources(mirror, suite) {
  const rows = [
    [mirror.main, suite],
    [mirror.updates, `${suite}-updates`],
    [mirror.security, `${suite}-security`],
  ];
  return rows
    .filter(([address]) => address !== undefined)
    .map(([address, name]) => `deb ${address} ${name} main\n`)
    .join('');
}

/** Entries of one apt sources file, of either format: [{uri, suites, components}]. Disabled ones are left out. */
export function parseSources(text, path) {
  return path.endsWith('.sources') ? parseStanzas(text) : parseOneLine(text);
}

function parseOneLine(text) {
  return text
    .split('\n')
    .map((line) => /^\s*deb\s+(?:\[[^\]]*\]\s*)?(\S+)\s+(\S+)\s+([^#]*)/.exec(line))
    .filter((match) => match !== null)
    .map((match) => ({ uri: match[1], suites: [match[2]], components: words(match[3]) }));
}

function parseStanzas(text) {
  return text
    .split(/\n\s*\n/)
    .map((stanza) => fieldsOf(stanza))
    .filter((fields) => words(fields.get('types')).includes('deb') && fields.get('enabled') !== 'no')
    .flatMap((fields) =>
      words(fields.get('uris')).map((uri) => ({
        uri,
        suites: words(fields.get('suites')),
        components: words(fields.get('components')),
      })),
    );
}

function fieldsOf(stanza) {
  const fields = new Map();
  let last = '';
  for (const line of stanza.split('\n').filter((each) => !each.startsWith('#'))) {
    const match = /^([A-Za-z-]+):\s*(.*)$/.exec(line);
    last = match ? match[1].toLowerCase() : last;
    fields.set(last, match ? match[2] : `${fields.get(last) ?? ''} ${line.trim()}`);
  }
  return fields;
}

function words(text = '') {
  return text.split(/\s+/).filter(Boolean);
}

/** Cloud images name a file with a list of mirrors; its first one is as good as any. */
function resolveAddress(uri) {
  const listed = /^mirror\+(file:.*)$/.exec(uri);
  if (!listed) {
    return uri.replace(/\/$/, '');
  }
  const list = readFileSync(
    listed[1].startsWith('file://') ? fileURLToPath(listed[1]) : listed[1].slice(5),
    'utf8',
  );
  return words(list.replace(/#.*/g, ''))[0]?.replace(/\/$/, '');
}

function sourceFiles(aptDir) {
  const folder = join(aptDir, 'sources.list.d');
  const parts = existsSync(folder) ? readdirSync(folder).toSorted() : [];
  return [
    join(aptDir, 'sources.list'),
    ...parts.filter((name) => /\.(list|sources)$/.test(name)).map((name) => join(folder, name)),
  ].filter((path) => existsSync(path));
}
