const LOWEST_NODE = [20, 19];

/** Something a person has to do before set-up can go on. `mend` says what, ready to be typed. */
export class NeedsPerson extends Error {
  constructor(message, mend) {
    super(message);
    this.mend = mend;
  }
}

/** Throws NeedsPerson when `version` ("20.19.2") is older than what the dependencies need. */
export function requireNode(version) {
  const [major, minor] = version.split('.').map(Number);
  const [lowestMajor, lowestMinor] = LOWEST_NODE;
  if (major < lowestMajor || (major === lowestMajor && minor < lowestMinor)) {
    throw new NeedsPerson(
      `assay needs Node.js ${LOWEST_NODE.join('.')} or newer; this is ${version}`,
      'install a newer Node.js (Debian 13 has one: apt-get install nodejs npm), then run this again',
    );
  }
}
