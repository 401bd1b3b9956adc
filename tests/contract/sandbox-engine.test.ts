import { makeFakeEngine } from '../../src/sandbox/fake/fake-engine.ts';
import type { FakeGraderIo, FakeService, FakeSidecarIo } from '../../src/sandbox/fake/fake-script.ts';
import { candidateOf, graderOf, makeTestSandbox, sidecarOf } from '../helpers/sandbox.ts';
import {
  type CandidateBehaviour,
  describeSandboxEngine,
  type GraderBehaviour,
  type SidecarBehaviour,
} from './sandbox-engine.contract.ts';

/** A server of a few lines: `sub answer` gets the connection. */
function perlServer(address: string, answer: string, before = ''): string[] {
  const script = `use IO::Socket::IP; $| = 1; ${before}
    my $s = IO::Socket::IP->new(LocalHost => '${address}', LocalPort => 8080, Listen => 64, ReuseAddr => 1, V6Only => 1) or die $!;
    print "up\\n"; my @kept; while (1) { my $c = $s->accept() or next; ${answer} }`;
  return ['perl', '-e', script];
}

function respond(status: number): string {
  return `while (<$c>) { last if /^\\r?\\n$/ } print $c "HTTP/1.1 ${status} X\\r\\nContent-Length: 0\\r\\n\\r\\n"; close $c;`;
}

const COMMANDS: Record<CandidateBehaviour, string[]> = {
  serves: perlServer('0.0.0.0', respond(200)),
  'serves-ipv6': perlServer('::1', respond(204)),
  hangs: perlServer('127.0.0.1', 'push @kept, $c;'),
  'answers-garbage': perlServer('127.0.0.1', 'print $c "x" x 4096; close $c;'),
  'exits-3': ['sh', '-c', 'echo bye; exit 3'],
  'runs-out-of-memory': ['perl', '-e', 'my @a; push @a, "x" x 1_000_000 while 1'],
  'ignores-sigterm': ['sh', '-c', 'trap "" TERM; echo up; while :; do sleep 1; done'],
  'ends-politely': perlServer('0.0.0.0', respond(200), '$SIG{TERM} = sub { print "closing\\n"; exit 0 };'),
  'is-missing': ['/app/not-there'],
  'counts-lives': perlServer(
    '0.0.0.0',
    respond(200),
    'open(F, ">>/data/lives"); print F "x\\n"; close F; print "lines=", (-s "/data/lives") / 2, "\\n";',
  ),
};

const GRADER_COMMANDS: Record<GraderBehaviour, string[]> = {
  echoes: [
    'sh',
    '-c',
    'echo ready; echo log >&2; while read -r l; do echo "got $l"; [ "$l" = quit ] && exit 4; done; exit 9',
  ],
  'exits-at-once': ['true'],
  'runs-for-ever': ['sleep', '1000'],
};

const SIDECAR_COMMANDS: Record<SidecarBehaviour, string[]> = {
  opens: ['sh', '-c', 'id -u > /data/user && printf op && printf "en\\n" && exec sleep 1000'],
  breaks: ['sh', '-c', 'echo broken; exit 5'],
  dawdles: ['sleep', '1000'],
};

describeSandboxEngine('docker', async () => {
  const sandbox = await makeTestSandbox();
  return {
    engine: sandbox.engine,
    candidate: (does) => candidateOf(sandbox.image, COMMANDS[does]),
    grader: (does) => graderOf(sandbox.image, GRADER_COMMANDS[does]),
    sidecar: (does) => sidecarOf(sandbox.image, SIDECAR_COMMANDS[does]),
    leftovers: () => sandbox.leftovers(),
  };
});

const SERVICES: Record<CandidateBehaviour, (service: FakeService) => void> = {
  serves: (service) => {
    service.log('up\n');
    service.listen(8080);
  },
  'serves-ipv6': (service) => service.listen(8080, { address: '::1', answer: () => 204 }),
  hangs: (service) => service.listen(8080, { answer: () => 'never' }),
  'answers-garbage': (service) => service.listen(8080, { answer: () => 'close' }),
  'exits-3': (service) => {
    service.log('bye\n');
    service.exit(3);
  },
  'runs-out-of-memory': (service) => service.runOutOfMemory(),
  'ignores-sigterm': (service) => {
    service.log('up\n');
    service.onTerminate(() => undefined);
  },
  'ends-politely': (service) => {
    service.listen(8080);
    service.onTerminate(() => {
      service.log('closing\n');
      service.exit(0);
    });
  },
  'is-missing': (service) => service.failToStart('"/app/not-there": no such file or directory'),
  'counts-lives': (service) => {
    const lives = Number(service.data?.get('lives') ?? 0) + 1;
    service.data?.set('lives', String(lives));
    service.log(`lines=${lives}\n`);
    service.listen(8080);
  },
};

const GRADERS: Record<GraderBehaviour, (io: FakeGraderIo) => Promise<number>> = {
  echoes: async (io) => {
    await io.emit('ready');
    io.stderr('log');
    for (let line = await io.readLine(); line !== undefined; line = await io.readLine()) {
      await io.emit(`got ${line}`);
      if (line === 'quit') {
        return 4;
      }
    }
    return 9;
  },
  'exits-at-once': () => Promise.resolve(0),
  'runs-for-ever': async (io) => {
    await io.readLine();
    return 0;
  },
};

const SIDECARS: Record<SidecarBehaviour, (io: FakeSidecarIo) => void> = {
  opens: (io) => io.log('open\n'),
  breaks: (io) => {
    io.log('broken\n');
    io.exit(5);
  },
  dawdles: () => undefined,
};

describeSandboxEngine('fake', () => {
  const engine = makeFakeEngine({
    candidate: (service, spec) => SERVICES[spec.command[0] as CandidateBehaviour](service),
    grader: (io, spec) => GRADERS[spec.command[0] as GraderBehaviour](io),
    sidecar: (io, spec) => SIDECARS[spec.command[0] as SidecarBehaviour](io),
  });
  return Promise.resolve({
    engine,
    candidate: (does) => candidateOf('fake', [does]),
    grader: (does) => graderOf('fake', [does]),
    sidecar: (does) => sidecarOf('fake', [does]),
    leftovers: () => Promise.resolve(Array.from({ length: engine.openPods }, () => 'pod')),
  });
});
