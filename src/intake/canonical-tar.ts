import type { TreeNode } from './submission-tree.ts';
import { TAR_BLOCK_BYTES, tarChecksum, tarPaddingBytes } from './tar-header.ts';

/** The user and group that own a submission inside the sandbox. */
const OWNER_ID = 10_001;
const NAME_BYTES = 100;
const PREFIX_BYTES = 155;
const END_MARK_BYTES = 2 * TAR_BLOCK_BYTES;

/** The size of the tar that `canonicalTarChunks` writes. */
export function canonicalTarBytes(nodes: readonly TreeNode[]): number {
  const nodeBytes = nodes.map((node) => {
    const contentBytes = node.kind === 'file' ? node.content.length : 0;
    return headerBlocks(node).length + contentBytes + tarPaddingBytes(contentBytes);
  });
  return nodeBytes.reduce((sum, bytes) => sum + bytes, END_MARK_BYTES);
}

/**
 * Writes a ustar archive that depends on nothing but paths, contents and execute bits: modes 0644 and 0755,
 * owner 10001, time 0. `nodes` must be sorted. A path that ustar cannot split gets a PAX header.
 */
export function* canonicalTarChunks(nodes: readonly TreeNode[]): Generator<Buffer> {
  for (const node of nodes) {
    yield headerBlocks(node);
    if (node.kind === 'file' && node.content.length > 0) {
      yield node.content;
      yield Buffer.alloc(tarPaddingBytes(node.content.length));
    }
  }
  yield Buffer.alloc(END_MARK_BYTES);
}

function headerBlocks(node: TreeNode): Buffer {
  const path = node.kind === 'directory' ? `${node.path}/` : node.path;
  const mode = node.kind === 'directory' || node.executable ? 0o755 : 0o644;
  const sizeBytes = node.kind === 'file' ? node.content.length : 0;
  const type = node.kind === 'directory' ? '5' : '0';
  const split = splitPath(path);
  if (split) {
    return encodeHeader({ ...split, mode, sizeBytes, type });
  }
  const record = paxRecord('path', path);
  const cut = Buffer.from(path).subarray(0, NAME_BYTES);
  return Buffer.concat([
    encodeHeader({ name: Buffer.from('PaxHeader'), mode: 0o644, sizeBytes: record.length, type: 'x' }),
    record,
    Buffer.alloc(tarPaddingBytes(record.length)),
    encodeHeader({ name: cut, mode, sizeBytes, type }),
  ]);
}

/** Splits at the last "/" that leaves both parts short enough; undefined when there is none. */
function splitPath(path: string): { name: Buffer; prefix?: Buffer } | undefined {
  const bytes = Buffer.from(path);
  if (bytes.length <= NAME_BYTES) {
    return { name: bytes };
  }
  // The last byte may be the "/" of a folder, which belongs to the name.
  const slash = bytes.lastIndexOf('/', Math.min(PREFIX_BYTES, bytes.length - 2));
  const name = bytes.subarray(slash + 1);
  return slash > 0 && name.length <= NAME_BYTES ? { name, prefix: bytes.subarray(0, slash) } : undefined;
}

/** "<length> key=value\n", where the length counts its own digits. */
function paxRecord(key: string, value: string): Buffer {
  const rest = ` ${key}=${value}\n`;
  const restBytes = Buffer.byteLength(rest);
  const digits = String(restBytes + String(restBytes).length).length;
  return Buffer.from(`${restBytes + digits}${rest}`);
}

interface HeaderFields {
  name: Buffer;
  prefix?: Buffer;
  mode: number;
  sizeBytes: number;
  type: string;
}

function encodeHeader({ name, prefix, mode, sizeBytes, type }: HeaderFields): Buffer {
  const block = Buffer.alloc(TAR_BLOCK_BYTES);
  name.copy(block, 0);
  block.write(octal(mode, 8), 100, 'latin1');
  block.write(octal(OWNER_ID, 8), 108, 'latin1');
  block.write(octal(OWNER_ID, 8), 116, 'latin1');
  block.write(octal(sizeBytes, 12), 124, 'latin1');
  block.write(octal(0, 12), 136, 'latin1');
  block.write(type, 156, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  prefix?.copy(block, 345);
  block.write(`${octal(tarChecksum(block), 7)} `, 148, 'latin1');
  return block;
}

/** A number in a field of `bytes` bytes, zero-filled, ended by NUL. */
function octal(value: number, bytes: number): string {
  return `${value.toString(8).padStart(bytes - 1, '0')}\0`;
}
