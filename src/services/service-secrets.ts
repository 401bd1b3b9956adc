import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { InfraError } from '../domain/errors.ts';
import { writeOnce } from '../shared/write-once.ts';

const PasswordsSchema = z.object({ postgres: z.string().min(16), redis: z.string().min(16) });
export type ServicePasswords = z.infer<typeof PasswordsSchema>;

/** The passwords of this installation's own services, made once and kept where only its user can read. */
export async function readServicePasswords(home: string): Promise<ServicePasswords> {
  const file = fileOf(home);
  await mkdir(home, { recursive: true });
  const fresh = { postgres: newPassword(), redis: newPassword() };
  await writeOnce(file, `${JSON.stringify(fresh)}\n`);
  const parsed = PasswordsSchema.safeParse(parseJson(await readFile(file, 'utf8')));
  if (!parsed.success) {
    throw new InfraError('SERVICES_BROKEN', `${file} does not hold the passwords of the services`, {
      mend: 'put the file back, or begin anew with "assay services reset --yes"',
    });
  }
  return parsed.data;
}

export async function forgetServicePasswords(home: string): Promise<void> {
  await rm(fileOf(home), { force: true });
}

function fileOf(home: string): string {
  return join(home, 'services.json');
}

function newPassword(): string {
  return randomBytes(24).toString('base64url');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
