import { z } from 'zod';
import { NODE_MANIFEST, type Project, manifestError, readManifest } from './project.ts';

const VersionsSchema = z.record(z.string(), z.string()).optional();
const PackageJsonSchema = z.looseObject({
  main: z.string().optional(),
  scripts: z.record(z.string(), z.string()).optional(),
  dependencies: VersionsSchema,
  devDependencies: VersionsSchema,
  optionalDependencies: VersionsSchema,
  peerDependencies: VersionsSchema,
  overrides: z.record(z.string(), z.unknown()).optional(),
});
/** What we read of a package.json; unknown fields are npm's business. */
export type PackageJson = z.infer<typeof PackageJsonSchema>;

/** The fields of package.json that name packages to install. */
export const DEPENDENCY_FIELDS = [
  'dependencies',
  'optionalDependencies',
  'peerDependencies',
  'devDependencies',
] as const;

/** The project's package.json, or undefined. Throws IntakeError `MANIFEST_INVALID` with the field that is wrong. */
export function readPackageJson(project: Project): PackageJson | undefined {
  const value = readJsonManifest(project, NODE_MANIFEST);
  if (value === undefined) {
    return undefined;
  }
  const parsed = PackageJsonSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw manifestError(
      NODE_MANIFEST,
      `is wrong at "${issue?.path.join('.')}": ${issue?.message}`,
      'Correct that field; "npm pkg get" shows how npm reads it.',
    );
  }
  return parsed.data;
}

/** A JSON file of the project, or undefined. Throws IntakeError `MANIFEST_INVALID` when it is no JSON. */
export function readJsonManifest(project: Project, path: string): unknown {
  const text = readManifest(project, path);
  if (text === undefined) {
    return undefined;
  }
  try {
    return JSON.parse(text);
  } catch {
    throw manifestError(
      path,
      'is no valid JSON',
      'Check its commas and quotes, for example with "npm pkg get".',
    );
  }
}
