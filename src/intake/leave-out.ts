import { quoteName } from './refusals.ts';
import { findSecretKinds } from './secrets.ts';
import type { TreeNode } from './submission-tree.ts';

const GIT = '.git';
const MACOS_FOLDER = '__MACOSX';
/** Package clients read these; a build must use ours, and they often carry a registry token. */
const CLIENT_CONFIGS: ReadonlySet<string> = new Set(['.npmrc', 'pip.conf', '.pypirc']);
/** More than this many of one sort are counted, not listed. */
const LISTED_NOTICES = 20;

type LeftOutAs = 'git' | 'macos' | 'config';

/** A submission after policy: what is graded, and what a person should know. */
export interface ReviewedTree {
  nodes: TreeNode[];
  notices: string[];
}

/**
 * Leaves out what must not be graded (.git, macOS metadata, configuration of package clients) and warns of
 * likely secrets, by file and kind, never by value. node_modules stays: a submission may vendor it.
 */
export function reviewTree(nodes: readonly TreeNode[]): ReviewedTree {
  const top = nodes.filter(({ path }) => !path.includes('/'));
  const prefix = toProjectPrefix(
    top.map(({ path, kind }) => ({ name: path, directory: kind === 'directory' })),
  );
  const kept: TreeNode[] = [];
  const leftOut: Record<LeftOutAs, TreeNode[]> = { git: [], macos: [], config: [] };
  for (const node of nodes) {
    const reason = leftOutAs(node, prefix);
    (reason === undefined ? kept : leftOut[reason]).push(node);
  }
  const gitRoots = leftOut.git.filter(({ path }) => isGitOfProject(path, prefix));
  const notices = [
    ...gitRoots.map(({ path }) => `${quoteName(path)} was left out: the history is not graded.`),
    ...(leftOut.macos.length > 0 ? ['Files of macOS (__MACOSX, .DS_Store, ._*) were left out.'] : []),
    ...atMost(
      leftOut.config.map(({ path }) => `${quoteName(path)} was left out: the build has its own settings.`),
    ),
    ...atMost([...kept, ...leftOut.config].flatMap(secretWarnings)),
  ];
  return { nodes: kept, notices };
}

/**
 * The folder that holds the whole project, as "name/", when a single folder was packed; else "".
 * What is left out anyway does not count as a second thing at the top.
 */
export function toProjectPrefix(top: readonly { name: string; directory: boolean }[]): string {
  const [first, ...others] = top.filter(({ name }) => !isAsideAtTop(name));
  return first?.directory && others.length === 0 ? `${first.name}/` : '';
}

/** Whether a name at the top is no part of the project. */
export function isAsideAtTop(name: string): boolean {
  return name === GIT || name === MACOS_FOLDER || isMacosFile(name);
}

/** "._name" holds the attributes of "name": tar on macOS writes it beside every file that has some. */
function isMacosFile(name: string): boolean {
  return name === '.DS_Store' || name.startsWith('._');
}

/** Whether `path` is the repository (folder, or file of a work tree) of the project with that prefix. */
export function isGitOfProject(path: string, prefix: string): boolean {
  return path === GIT || path === prefix + GIT;
}

function leftOutAs({ path, kind }: TreeNode, prefix: string): LeftOutAs | undefined {
  const inProject = path.startsWith(prefix) ? path.slice(prefix.length) : path;
  const tops = [path.split('/', 1)[0], inProject.split('/', 1)[0]];
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (tops.includes(GIT)) {
    return 'git';
  }
  if (tops.includes(MACOS_FOLDER) || (kind === 'file' && isMacosFile(name))) {
    return 'macos';
  }
  return kind === 'file' && CLIENT_CONFIGS.has(name) ? 'config' : undefined;
}

function secretWarnings(node: TreeNode): string[] {
  if (node.kind === 'directory') {
    return [];
  }
  const kinds = findSecretKinds(node.path, node.content);
  return kinds.map((kind) => `${quoteName(node.path)} seems to hold ${kind}: withdraw it where it is used.`);
}

function atMost(notices: readonly string[]): string[] {
  const more = notices.length - LISTED_NOTICES;
  return more > 0 ? [...notices.slice(0, LISTED_NOTICES), `The same holds for ${more} more.`] : [...notices];
}
