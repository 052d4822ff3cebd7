package dev.eden.activities.postgres.preflight;

import dev.eden.activities.postgres.EdenObjects.Role;
import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.store.LinkTls;

/** The ways between the servers, one for each direction of replication. */
final class LinkFindings {
    private final Pair pair;
    private final Findings findings;

    LinkFindings(Pair pair, Findings findings) {
        this.pair = pair;
        this.findings = findings;
    }

    void check(PostgresSession source, PostgresSession target) {
        way(Role.SOURCE, "source", target, "target");
        way(Role.TARGET, "target", source, "source");
    }

    private void way(Role publisher, String from, PostgresSession subscriber, String to) {
        var endpoint = pair.endpoint(publisher);
        if (endpoint.tls() && !endpoint.link().verifiedBy(subscriber.major())) {
            findings.warning(
                    "postgres.tls.unverified",
                    "The " + to + " replicates from the " + from + " over TLS without looking at its certificate"
                            + (endpoint.link() instanceof LinkTls.OfSystem
                                    ? ": PostgreSQL " + subscriber.major() + " does not know the system's authorities."
                                    : ", as options.link_tls of its endpoint has it."),
                    "Name a file of authorities on the " + to + "'s machine: options.link_ca_file of the " + from
                            + "'s endpoint. Or keep the network between them private.");
        }
    }
}
