package dev.eden.activities.postgres.replication;

import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.EdenObjects.Role;
import dev.eden.activities.postgres.EdenRoles;
import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.PostgresException;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.Sql;
import dev.eden.activities.store.Endpoint;
import dev.eden.activities.store.LinkTls;
import dev.eden.proxy.Backend;
import dev.eden.proxy.Secret;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Collectors;

/**
 * One way of replication, from a publisher to a subscriber: publication and slot there, a disabled subscription here. Both ways exist from
 * the start; which one runs is {@link Appliers}' business. A slot of its own making never takes part in a transaction, so each part is made by
 * itself, if it is missing.
 *
 * @param from role of the publisher
 */
record Link(Pair pair, Role from) {
    private static final int ORIGIN_SINCE = 16;
    private static final int CERTIFICATE_MODE_SINCE = 16;
    /** Libpq shows a certificate from the home of the server's user unless it is told of another file; where that home can't be read, it fails. */
    private static final String NO_CERTIFICATE = " sslcert=/nowhere";
    /** What the server's libpq says is told apart by its words. */
    private static final String ENGLISH = "SET LOCAL lc_messages = 'C'";

    private EdenObjects names() {
        return pair.names();
    }

    /** The publication of the data. It exists before the slot: a slot knows no publication that came after it. */
    void publication(PostgresSession publisher, List<String> tables) {
        String main = names().main();
        if (!publisher.is("SELECT true FROM pg_publication WHERE pubname = ?", main)) {
            publisher.execute("CREATE PUBLICATION " + Sql.name(main) + " FOR TABLE " + list(tables));
        }
    }

    /** What is published from now on. */
    void republish(PostgresSession publisher, List<String> tables) {
        publisher.execute("ALTER PUBLICATION " + Sql.name(names().main()) + " SET TABLE " + list(tables));
    }

    private String list(List<String> tables) {
        return names().marker(from) + tables.stream().map(table -> ", " + table).collect(Collectors.joining());
    }

    boolean hasSlot(PostgresSession publisher) {
        return Links.usable(publisher, names().main());
    }

    /** Its slot is made anew wherever it is missing: nobody needs what is not in it. Waits for every transaction of the server that is open then. */
    void publishProbe(PostgresSession publisher) {
        String probe = names().probe();
        if (!publisher.is("SELECT true FROM pg_publication WHERE pubname = ?", probe)) {
            publisher.execute("CREATE PUBLICATION " + Sql.name(probe) + " FOR TABLE " + names().probeTable(from));
        }
        if (!Links.usable(publisher, probe)) {
            Links.dropSlot(publisher, probe);
            publisher.query("SELECT pg_create_logical_replication_slot(?, 'pgoutput')", row -> row.getString(1), probe);
        }
    }

    /**
     * The subscription of the data, disabled. The tables that are published now count as loaded. The apply worker runs as the apply role.
     */
    void subscribe(PostgresSession subscriber, int publisherMajor) {
        if (exists(subscriber, names().main())) {
            return;
        }
        String origin = publisherMajor >= ORIGIN_SINCE && subscriber.major() >= ORIGIN_SINCE ? ", origin = none" : "";
        // Otherwise rows are written as each table's owner, who may lack rights to types, functions or the schema.
        String asOwner = subscriber.major() >= ORIGIN_SINCE ? ", run_as_owner = true" : "";
        create(
                subscriber,
                names().main(),
                names().apply(),
                "enabled = false, copy_data = false, synchronous_commit = off" + origin + asOwner);
    }

    /** On an enabled subscription: the servers copy what is published and not yet known here, from now. */
    void loadTheRest(PostgresSession subscriber) {
        subscriber.execute(
                "ALTER SUBSCRIPTION " + Sql.name(names().main()) + " REFRESH PUBLICATION WITH (copy_data = true)");
    }

    /** Published tables, partitions by themselves, that the subscription does not know. */
    List<String> unknown(PostgresSession publisher, PostgresSession subscriber) {
        List<String> all = new ArrayList<>(publisher.texts(
                "SELECT format('%I.%I', schemaname, tablename) FROM pg_publication_tables WHERE pubname = ? ORDER BY 1",
                names().main()));
        all.removeAll(new HashSet<>(subscriber.texts("""
                SELECT format('%I.%I', n.nspname, c.relname) FROM pg_subscription s JOIN pg_subscription_rel r ON r.srsubid = s.oid
                JOIN pg_class c ON c.oid = r.srrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE s.subname = ?""", names().main())));
        return all;
    }

    void subscribeProbe(PostgresSession subscriber) {
        if (exists(subscriber, names().probe())) {
            return;
        }
        create(subscriber, names().probe(), names().control(), "enabled = true, copy_data = false");
    }

    private void create(PostgresSession subscriber, String name, String owner, String options) {
        Backend.Login login = EdenRoles.linkLogin(pair.migration(), pair.endpoint(from), pair.records());
        try {
            subscriber.transaction(() -> {
                subscriber.execute(ENGLISH);
                subscriber.execute("CREATE SUBSCRIPTION " + Sql.name(name) + " CONNECTION "
                        + Sql.text(connection(login, subscriber.major())) + " PUBLICATION " + Sql.name(name)
                        + " WITH (create_slot = false, slot_name = " + Sql.text(name) + ", " + options + ")");
                subscriber.execute("ALTER SUBSCRIPTION " + Sql.name(name) + " OWNER TO " + Sql.name(owner));
            });
        } catch (PostgresException e) {
            if (LinkFailure.of(e) == LinkFailure.TLS) {
                throw new UnverifiedLink(e.getMessage() + "; options.link_ca_file of endpoint "
                        + pair.endpoint(from).id() + " names a file of authorities on the machine of "
                        + pair.endpoint(from.other()).id() + ", options.link_tls \"require\" does without");
            }
            throw e;
        }
    }

    /** To be taken back; connects as {@link #create} does, but as a user whom the publisher does not know yet, so that no password is told. */
    void tryOut(PostgresSession subscriber) {
        Backend.Login nobody = new Backend.Login(names().link(), new Secret("none"));
        // Others may try at the same time, and a name is waited for.
        String name = names().probe() + "_"
                + Long.toHexString(ThreadLocalRandom.current().nextLong());
        subscriber.execute(ENGLISH);
        subscriber.execute("SET LOCAL statement_timeout = '5s'");
        subscriber.execute("CREATE SUBSCRIPTION " + Sql.name(name) + " CONNECTION "
                + Sql.text(connection(nobody, subscriber.major())) + " PUBLICATION " + Sql.name(name)
                + " WITH (create_slot = false, slot_name = NONE, enabled = false, copy_data = false)");
    }

    static boolean exists(PostgresSession subscriber, String subscription) {
        return subscriber.is(
                "SELECT true FROM pg_subscription WHERE subname = ? AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())",
                subscription);
    }

    /** How the subscriber's server reaches the publisher's; only superusers can read it there. */
    private String connection(Backend.Login login, int subscriberMajor) {
        Endpoint endpoint = pair.endpoint(from);
        return "host=" + value(endpoint.host()) + " port=" + endpoint.port() + " dbname="
                + value(EdenRoles.database(endpoint))
                + " user=" + value(login.user()) + " password="
                + value(login.password().reveal()) + " application_name="
                + value(names().session("link")) + " connect_timeout=5 keepalives_idle=10 "
                + tls(endpoint, subscriberMajor);
    }

    private static String tls(Endpoint publisher, int subscriberMajor) {
        if (!publisher.tls()) {
            return "sslmode=disable";
        }
        String verified = switch (publisher.link()) {
            case LinkTls.OfSystem of ->
                of.verifiedBy(subscriberMajor) ? "sslmode=verify-full sslrootcert=system" : "sslmode=require";
            case LinkTls.Unverified _ -> "sslmode=require";
            case LinkTls.OfFile(String file) -> "sslmode=verify-full sslrootcert=" + value(file);
        };
        return verified + (subscriberMajor >= CERTIFICATE_MODE_SINCE ? " sslcertmode=disable" : NO_CERTIFICATE);
    }

    /** libpq's quoting (PostgreSQL documentation, "Connection Strings"). */
    private static String value(String text) {
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'";
    }
}
