# Answers on Grafana's port that this is none.
use strict;
use IO::Socket::INET;
$SIG{TERM} = sub { exit 0 };
my $home = $ENV{GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH};
my $found = -r $home && -r "/etc/grafana/provisioning/datasources/prometheus.yml" ? "can" : "cannot";
my $listener = IO::Socket::INET->new(LocalPort => 3000, Listen => 64, ReuseAddr => 1) or die "port 3000: $!";
while (1) {
    my $client = $listener->accept or next;
    while (my $line = <$client>) { last if $line =~ /^\s*$/ }
    my $text = "A stand-in for Grafana; dashboard and provisioning $found be read.\n";
    print $client "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " . length($text) . "\r\nConnection: close\r\n\r\n$text";
    close $client;
}
