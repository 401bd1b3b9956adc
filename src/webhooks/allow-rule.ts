import { BlockList, isIP } from 'node:net';

/** Addresses of this machine, private networks, and others that are nobody's on the internet. */
const REFUSED_V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
];
const REFUSED_V6 = [
  '::/128',
  '::1/128',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
];
/** Networks in which an IPv4 address hides in the last or middle bytes: judged as a whole. */
const EMBEDDING_V6 = ['::ffff:0:0/96', '::/96', '64:ff9b::/96', '2002::/16'];

export interface AllowRule {
  /** Whether a delivery to this host, which resolves to this address, may be sent. */
  allows(host: string, address: string): boolean;
}

/**
 * The rule for where webhooks may go: public addresses, and besides them the hosts, addresses and CIDRs in `allowed`
 * ("hooks.internal", "10.1.2.3", "10.0.0.0/8"). Throws Error for an entry that is none of these.
 */
export function makeAllowRule(allowed: readonly string[]): AllowRule {
  // Two lists: one that holds ::ffff:0:0/96 would refuse every IPv4 address with it.
  const refused = { ipv4: blockList(REFUSED_V4), ipv6: blockList([...REFUSED_V6, ...EMBEDDING_V6]) };
  const nets = blockList(
    allowed.filter(isNetwork).map((entry) => (entry.includes('/') ? entry : wholeOf(entry))),
  );
  const hosts = new Set(allowed.filter((entry) => !isNetwork(entry)).map(checkHost));
  return {
    allows: (host, address) => {
      const family = isIP(address);
      if (family === 0) {
        return false;
      }
      const kind = family === 4 ? 'ipv4' : 'ipv6';
      return (
        hosts.has(host.toLowerCase()) || nets.check(address, kind) || !refused[kind].check(address, kind)
      );
    },
  };
}

function isNetwork(entry: string): boolean {
  return isIP(entry.split('/', 1)[0] ?? '') !== 0;
}

function wholeOf(address: string): string {
  return `${address}/${isIP(address) === 4 ? 32 : 128}`;
}

function checkHost(entry: string): string {
  if (!/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(entry)) {
    throw new Error(`"${entry}" is neither a host name nor an address nor a CIDR`);
  }
  return entry.toLowerCase();
}

function blockList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits = ''] = network.split('/');
    const family = isIP(address);
    const prefix = Number(bits);
    if (!Number.isInteger(prefix) || bits === '' || prefix > (family === 4 ? 32 : 128)) {
      throw new Error(`"${network}" is no CIDR`);
    }
    list.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}
