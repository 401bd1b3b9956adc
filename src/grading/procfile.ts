/** The command of the process type `web`, or undefined. Other process types are not run. */
export function webCommand(procfile: string): string | undefined {
  for (const line of procfile.split(/\r?\n/)) {
    const match = /^web:\s*(\S.*)$/.exec(line);
    if (match) {
      return match[1]?.trim();
    }
  }
  return undefined;
}
