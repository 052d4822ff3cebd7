package dev.eden.activities.postgres.replication;

import dev.eden.activities.postgres.PostgresException;
import java.util.List;

/** What keeps one server from replicating from the other, as its libpq has it (with {@code lc_messages} C). */
enum LinkFailure {
    /** No TLS, a certificate that is not trusted or of another name, no file of authorities. */
    TLS,
    /** No way there. */
    NETWORK,
    /** The other server answered, and its pg_hba.conf lets this one's user not in. */
    ADMISSION,
    /** The other server answered, or it is something else. */
    OTHER;

    /** What the other server says itself, in whatever language, is not about this one's verification. */
    private static final List<String> ANSWERED = List.of("FATAL");

    /** A name that no language translates. */
    private static final List<String> OF_ADMISSION = List.of("pg_hba.conf");

    private static final List<String> OF_TLS = List.of("SSL error", "does not support SSL", "certificate", "sslmode");

    private static final List<String> OF_NETWORK = List.of(
            "SSL SYSCALL error",
            "unexpected eof",
            "could not translate host name",
            "could not connect to server",
            "Connection refused",
            "Connection timed out",
            "timeout expired",
            "No route to host",
            "Network is unreachable");

    static final String QUERY_CANCELED = "57014";

    static LinkFailure of(PostgresException e) {
        return e.sqlState().equals(QUERY_CANCELED) ? NETWORK : of(String.valueOf(e.getMessage()));
    }

    static LinkFailure of(String said) {
        if (has(said, OF_ADMISSION)) {
            return ADMISSION;
        }
        if (has(said, ANSWERED)) {
            return OTHER;
        }
        // A server that goes away during the handshake says nothing of its certificate.
        return has(said, OF_NETWORK) ? NETWORK : has(said, OF_TLS) ? TLS : OTHER;
    }

    private static boolean has(String said, List<String> words) {
        return words.stream().anyMatch(said::contains);
    }
}
