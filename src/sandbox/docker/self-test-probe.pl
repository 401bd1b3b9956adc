# Runs inside a candidate's container and tells what it could do. Perl, because Debian's essential perl-base is in
# every image of ours and can make raw system calls; so the self-test needs no image of its own.
# Arguments: "address port" pairs to connect to. Output: one fact per line, fields separated by tabs.
use strict;
use warnings;
use Errno;
use Fcntl;
use POSIX ();
use Socket qw(:DEFAULT inet_pton pack_sockaddr_in6);

$| = 1;

sub say_fact { print join("\t", @_), "\n" }

# The name of the error in $!, "EPERM".
sub error_name {
    my $code = $! + 0;
    for my $name (keys %!) { return $name if $!{$name} && $code == $! + 0 && $name !~ /^(EWOULDBLOCK|EDEADLOCK)$/ }
    return "errno $code";
}

# What a call gave: "allowed" or the name of its error.
sub outcome { return defined $_[0] && $_[0] != -1 ? 'allowed' : error_name() }

sub tell_status {
    open my $file, '<', '/proc/self/status' or die "no /proc/self/status: $!";
    while (my $line = <$file>) {
        say_fact('status', $1, $2) if $line =~ /^(Uid|Gid|Groups|Cap\w+|NoNewPrivs|Seccomp):\s*(.*?)\s*$/;
    }
}

sub tell_syscalls {
    my %number_of = (
        x86_64 => {
            ptrace => 101, mount => 165, settimeofday => 164, add_key => 248, keyctl => 250, unshare => 272,
            perf_event_open => 298, open_by_handle_at => 304, setns => 308, process_vm_readv => 310, bpf => 321,
            userfaultfd => 323, io_uring_setup => 425, clone3 => 435,
        },
        aarch64 => {
            ptrace => 117, mount => 40, settimeofday => 170, add_key => 217, keyctl => 219, unshare => 97,
            perf_event_open => 241, open_by_handle_at => 265, setns => 268, process_vm_readv => 270, bpf => 280,
            userfaultfd => 282, io_uring_setup => 425, clone3 => 435,
        },
    );
    my $machine = (POSIX::uname())[4];
    my $number = $number_of{$machine} or return say_fact('syscall', 'unknown machine', $machine);
    my $zeros = "\0" x 256;
    # Arguments that do nothing, or fail on their own account, where the call is let through.
    my %arguments = (
        ptrace => [-1, 0, 0, 0],
        mount => [0, 0, 0, 0, 0],
        settimeofday => [0, 0],
        add_key => ['user', 'probe', 'x', 1, -2],
        keyctl => [0, -3, 0],
        unshare => [0x10000000],
        perf_event_open => [$zeros, 0, -1, -1, 0],
        open_by_handle_at => [-1, 0, 0],
        setns => [-1, 0],
        process_vm_readv => [$$, 0, 0, 0, 0, 0],
        bpf => [0, $zeros, 72],
        userfaultfd => [0],
        io_uring_setup => [1, $zeros],
        clone3 => [0, 0],
    );
    for my $name (sort keys %arguments) {
        # syscall() takes a pointer to a string that it may write to: every argument must be a variable of its own.
        my @copy = @{ $arguments{$name} };
        say_fact('syscall', $name, outcome(syscall($number->{$name}, @copy)));
    }
    my %family = (AF_ALG => [38, 5], AF_VSOCK => [40, 1], AF_PACKET => [17, 3], AF_NETLINK_AUDIT => [16, 3, 9], RAW => [2, 3, 1]);
    for my $name (sort keys %family) {
        my ($domain, $type, $protocol) = @{ $family{$name} };
        say_fact('syscall', $name, socket(my $socket, $domain, $type, $protocol // 0) ? 'allowed' : error_name());
    }
}

sub tell_files {
    for my $path ('/probe', '/etc/probe', '/app/probe', '/usr/bin/probe', '/proc/sys/kernel/hostname', '/proc/sysrq-trigger') {
        my $flags = $path =~ m{^/proc} ? O_WRONLY : O_WRONLY | O_CREAT;
        say_fact('write', $path, sysopen(my $file, $path, $flags) ? 'allowed' : error_name());
    }
    for my $path ('/var/run/docker.sock', '/run/containerd/containerd.sock', '/dev/mem', '/dev/kmsg', '/dev/sda', '/dev/vda') {
        say_fact('absent', $path, -e $path ? 'present' : 'absent');
    }
}

# Fills /tmp until it is full, at most 4 GiB, in files small enough for the limit on one file.
sub tell_tmp {
    my $block = 'x' x 1048576;
    my ($bytes, $end, @paths) = (0, 'never full');
    while ($bytes < 4 * 1024 ** 3) {
        push @paths, '/tmp/fill' . @paths if $bytes % (16 * 1048576) == 0;
        my $opened = sysopen my $file, $paths[-1], O_WRONLY | O_CREAT | O_APPEND;
        my $written = $opened ? syswrite $file, $block : undef;
        if (!defined $written) { $end = error_name(); last }
        $bytes += $written;
    }
    unlink @paths;
    say_fact('tmp', $bytes, $end);
}

sub tell_files_limit {
    my @open;
    while (@open < 2_000_000 && open my $file, '<', '/dev/null') { push @open, $file }
    say_fact('files', scalar(@open), error_name());
}

sub tell_pids {
    my @children;
    my $end = 'never refused';
    while (@children < 5000) {
        my $pid = fork;
        if (!defined $pid) { $end = error_name(); last }
        if ($pid == 0) { sleep 60; POSIX::_exit(0) }
        push @children, $pid;
    }
    kill 'KILL', @children;
    waitpid $_, 0 for @children;
    say_fact('pids', scalar(@children), $end);
}

# A child takes memory, at most 16 GiB, so that its end can be told by its parent.
sub tell_memory {
    my $pid = fork;
    return say_fact('memory', 'no fork') if !defined $pid;
    if ($pid == 0) {
        my @held;
        push @held, 'x' x (16 * 1024 ** 2) for 1 .. 1024;
        POSIX::_exit(0);
    }
    waitpid $pid, 0;
    say_fact('memory', $? & 127 ? 'killed by signal ' . ($? & 127) : 'exit ' . ($? >> 8));
}

sub tell_interfaces {
    for my $path (glob '/sys/class/net/*') {
        open my $file, '<', "$path/flags" or next;
        chomp(my $text = <$file>);
        my $flags = hex $text;
        say_fact('interface', $path =~ s{.*/}{}r, $flags & 1 ? 'up' : 'down');
    }
}

sub address_of {
    my ($host, $port) = @_;
    return (AF_INET6, pack_sockaddr_in6($port, inet_pton(AF_INET6, $host))) if $host =~ /:/;
    return (AF_INET, pack_sockaddr_in($port, inet_pton(AF_INET, $host)));
}

# Connects within half a second: "connected", the error, or "timeout".
sub try_connect {
    my ($family, $address) = @_;
    socket(my $socket, $family, SOCK_STREAM | O_NONBLOCK, 0) or return error_name();
    return 'connected' if connect $socket, $address;
    return error_name() if !$!{EINPROGRESS};
    vec(my $ready = '', fileno $socket, 1) = 1;
    return 'timeout' if !select undef, $ready, undef, 0.5;
    my $error = unpack 'i', getsockopt($socket, SOL_SOCKET, SO_ERROR);
    return 'connected' if $error == 0;
    $! = $error;
    return error_name();
}

sub tell_network {
    while (@ARGV) {
        my ($host, $port) = splice @ARGV, 0, 2;
        say_fact('connect', "$host port $port", try_connect(address_of($host, $port)));
    }
    my $start = time;
    my $found = gethostbyname('example.org');
    say_fact('dns', defined $found ? 'resolved' : 'failed', time - $start);
}

tell_status();
tell_syscalls();
tell_files();
tell_interfaces();
tell_network();
tell_files_limit();
tell_pids();
tell_tmp();
tell_memory();
say_fact('end', 'reached');
