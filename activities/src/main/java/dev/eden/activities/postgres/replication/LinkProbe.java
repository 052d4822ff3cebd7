package dev.eden.activities.postgres.replication;

import dev.eden.activities.postgres.EdenObjects.Role;
import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.PostgresException;
import dev.eden.activities.postgres.PostgresSession;

/**
 * Whether one server reaches the other, asked before anything of Eden's is there: a subscription that is taken back, of a user whom the other does not
 * know. What is wrong with the network or with TLS comes before the login that fails.
 */
public final class LinkProbe {
    private LinkProbe() {}

    public sealed interface Answer {
        /** As far as the login. */
        record Reached() implements Answer {}

        /** By TLS. */
        record Refused(String why) implements Answer {}

        record Unreachable(String why) implements Answer {}

        /** By pg_hba.conf, which is read before the password. */
        record NotAdmitted(String why) implements Answer {}
    }

    public static Answer ask(Pair pair, Role publisher, PostgresSession subscriber) {
        try {
            subscriber.rehearsal(() -> new Link(pair, publisher).tryOut(subscriber));
            return new Answer.Reached();
        } catch (PostgresException e) {
            String said = String.valueOf(e.getMessage());
            return switch (LinkFailure.of(e)) {
                case TLS -> new Answer.Refused(said);
                case NETWORK ->
                    new Answer.Unreachable(
                            e.sqlState().equals(LinkFailure.QUERY_CANCELED) ? "no answer in time" : said);
                case ADMISSION -> new Answer.NotAdmitted(said);
                case OTHER -> new Answer.Reached();
            };
        }
    }
}
