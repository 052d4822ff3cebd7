# forward.pl PORT HOST:PORT: passes each connection on.
use strict;
use IO::Socket::INET;
$SIG{CHLD} = 'IGNORE';
$SIG{TERM} = sub { exit 0 };
my ($port, $to) = @ARGV;
my $listener = IO::Socket::INET->new(LocalPort => $port, Listen => 64, ReuseAddr => 1) or die "port $port: $!";
while (1) {
    my $client = $listener->accept or next;
    next if fork;
    my $server = IO::Socket::INET->new(PeerAddr => $to) or exit 1;
    my $up = fork;
    my ($from, $into) = $up ? ($server, $client) : ($client, $server);
    while (sysread $from, my $bytes, 65536) { syswrite $into, $bytes }
    shutdown $into, 1;
    waitpid $up, 0 if $up;
    exit 0;
}
