import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { gzipSync } from 'node:zlib';
import Docker, { type NetworkInspectInfo } from 'dockerode';
import { packTar } from '../../src/shared/tar-buffer.ts';
import { buildZip } from './archives.ts';

/** A small npm registry and pip index on this machine, which builds reach by the engine's bridge. */
export interface PackageRegistry {
  npmUrl: string;
  pipUrl: string;
  /** Paths that were asked for, in order. */
  requests: string[];
  close(): Promise<void>;
}

/**
 * Serves npm packages: "tiny"; "scripted", whose install script writes a file and calls home; "sly", whose
 * dependency is an address. And the wheel "tinywheel" 1.0.
 */
export async function startPackageRegistry(): Promise<PackageRegistry> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    requests.push(path);
    const body = answers(`http://${request.headers.host}`).get(decodeURIComponent(path));
    response.statusCode = body === undefined ? 404 : 200;
    response.setHeader(
      'content-type',
      typeof body === 'string' && body.startsWith('<') ? 'text/html' : 'application/json',
    );
    response.end(body ?? '{"error":"not found"}');
  });
  const address = await bridgeAddress();
  server.listen(0, address);
  await once(server, 'listening');
  const url = `http://${address}:${portOf(server)}/`;
  return {
    npmUrl: url,
    pipUrl: `${url}simple/`,
    requests,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/**
 * The host's address on the engine's own bridge: containers reach it, other machines do not. Asked of the engine:
 * a bridge without containers is down, and then not among the system's interfaces.
 */
async function bridgeAddress(): Promise<string> {
  const network = (await new Docker().getNetwork('bridge').inspect()) as NetworkInspectInfo;
  const config = network.IPAM?.Config?.[0];
  // An engine on its first start names the subnet alone, and gives the bridge its first address.
  const address = config?.['Gateway'] ?? config?.['Subnet']?.replace(/\.0\/\d+$/, '.1');
  if (address === undefined) {
    throw new Error('the network "bridge" of the engine has neither gateway nor subnet');
  }
  return address;
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

function answers(url: string): Map<string, string | Buffer> {
  const callHome = `require('fs').writeFileSync('made-by-script','1');require('http').get('${url}/called-home').on('error',()=>0)`;
  return new Map<string, string | Buffer>([
    ...npmPackage(url, 'tiny', {}, { 'index.js': 'module.exports = "tiny works"' }),
    ...npmPackage(url, 'scripted', { scripts: { postinstall: 'node hook.js' } }, { 'hook.js': callHome }),
    ...npmPackage(url, 'sly', { dependencies: { stolen: `${url}/secret.tgz` } }, { 'index.js': '' }),
    ['/simple/tinywheel/', '<html><a href="/files/tinywheel-1.0-py3-none-any.whl">tinywheel</a></html>'],
    ['/files/tinywheel-1.0-py3-none-any.whl', wheel()],
  ]);
}

function npmPackage(
  url: string,
  name: string,
  fields: { scripts?: object; dependencies?: object },
  files: Record<string, string>,
): [string, string | Buffer][] {
  const manifest = { name, version: '1.0.0', ...fields };
  const archive = gzipSync(
    packTar(
      Object.entries({ ...files, 'package.json': JSON.stringify(manifest) }).map(([path, content]) => ({
        path: `package/${path}`,
        type: 'file',
        executable: false,
        content: Buffer.from(content),
      })),
    ),
  );
  const dist = { tarball: `${url}/${name}/-/${name}-1.0.0.tgz`, integrity: integrityOf(archive) };
  const version = { ...manifest, ...(fields.scripts ? { hasInstallScript: true } : {}), dist };
  const packument = { name, 'dist-tags': { latest: '1.0.0' }, versions: { '1.0.0': version } };
  return [
    [`/${name}`, JSON.stringify(packument)],
    [`/${name}/-/${name}-1.0.0.tgz`, archive],
  ];
}

function integrityOf(archive: Buffer): string {
  return `sha512-${createHash('sha512').update(archive).digest('base64')}`;
}

function wheel(): Buffer {
  const info = 'tinywheel-1.0.dist-info';
  return buildZip([
    { name: 'tinywheel.py', content: 'WORKS = "tinywheel works"\n' },
    { name: `${info}/METADATA`, content: 'Metadata-Version: 2.1\nName: tinywheel\nVersion: 1.0\n' },
    {
      name: `${info}/WHEEL`,
      content: 'Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    },
    {
      name: `${info}/RECORD`,
      content: `tinywheel.py,,\n${info}/METADATA,,\n${info}/WHEEL,,\n${info}/RECORD,,\n`,
    },
  ]);
}
