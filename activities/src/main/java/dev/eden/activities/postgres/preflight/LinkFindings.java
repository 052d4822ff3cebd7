package dev.eden.activities.postgres.preflight;

import dev.eden.activities.postgres.EdenObjects.Role;
import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.replication.LinkProbe;
import dev.eden.activities.store.LinkTls;

/** The ways between the servers, one for each direction of replication. */
final class LinkFindings {
    private final Pair pair;
    private final Findings findings;

    LinkFindings(Pair pair, Findings findings) {
        this.pair = pair;
        this.findings = findings;
    }

    /** {@code prepared}: what is made by now shows by itself whether it works. */
    void check(PostgresSession source, PostgresSession target, boolean prepared) {
        way(Role.SOURCE, "source", target, "target");
        way(Role.TARGET, "target", source, "source");
        if (!prepared) {
            tried(Role.SOURCE, "source", target, "target");
            tried(Role.TARGET, "target", source, "source");
            AdmissionFindings admission = new AdmissionFindings(pair, findings);
            admission.check(Role.SOURCE, "source");
            admission.check(Role.TARGET, "target");
        }
    }

    private void tried(Role publisher, String from, PostgresSession subscriber, String to) {
        switch (LinkProbe.ask(pair, publisher, subscriber)) {
            case LinkProbe.Answer.Reached _ -> {}
            case LinkProbe.Answer.Refused(String why) ->
                findings.failure(
                        "postgres.link.tls",
                        "The " + to + " cannot replicate from the " + from + " over TLS: " + why,
                        "Name a file of authorities on the " + to + "'s machine, which its server can read, as"
                                + " options.link_ca_file of the " + from
                                + "'s endpoint; the certificate must be for the endpoint's host name. Or, where the network between"
                                + " them is private, options.link_tls \"require\".");
            case LinkProbe.Answer.NotAdmitted(String why) ->
                findings.failure(
                        "postgres.link.refused",
                        "The " + from + " does not let the " + to + "'s server in, which is to replicate from it: "
                                + why,
                        AdmissionFindings.lines(pair, from, publisher)
                                + " The servers replicate from each other, in both directions.");
            case LinkProbe.Answer.Unreachable(String why) ->
                findings.failure(
                        "postgres.link.unreachable",
                        "The " + to + "'s server cannot reach the " + from + "'s, from which it is to replicate: "
                                + why,
                        "Let it resolve and reach the address that the " + from
                                + "'s endpoint has: the servers replicate from each other, in both directions.");
        }
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
