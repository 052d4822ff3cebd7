package dev.eden.activities.postgres.replication;

import dev.eden.activities.postgres.EdenObjects;
import dev.eden.activities.postgres.EdenObjects.Role;
import dev.eden.activities.postgres.EdenRoles;
import dev.eden.activities.postgres.Pair;
import dev.eden.activities.postgres.PostgresSession;
import dev.eden.activities.postgres.Sql;
import dev.eden.activities.store.Endpoint;
import dev.eden.proxy.Backend;
import java.util.List;
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
    private static final int SYSTEM_ROOTS_SINCE = 16;

    private EdenObjects names() {
        return pair.names();
    }

    /** Publication and slot. Waits for every transaction of the publisher's server that is open when the slot is made. */
    void publish(PostgresSession publisher, List<String> tables) {
        String main = names().main();
        if (!publisher.is("SELECT true FROM pg_publication WHERE pubname = ?", main)) {
            String all = tables.stream().map(table -> ", " + table).collect(Collectors.joining());
            publisher.execute("CREATE PUBLICATION " + Sql.name(main) + " FOR TABLE " + names().marker(from) + all);
        }
        slot(publisher, main);
    }

    void publishProbe(PostgresSession publisher) {
        String probe = names().probe();
        if (!publisher.is("SELECT true FROM pg_publication WHERE pubname = ?", probe)) {
            publisher.execute("CREATE PUBLICATION " + Sql.name(probe) + " FOR TABLE " + names().probeTable(from));
        }
        slot(publisher, probe);
    }

    private static void slot(PostgresSession publisher, String name) {
        if (!publisher.is("SELECT true FROM pg_replication_slots WHERE slot_name = ?", name)) {
            publisher.query("SELECT pg_create_logical_replication_slot(?, 'pgoutput')", row -> row.getString(1), name);
        }
    }

    /**
     * The subscription of the data, disabled. With {@code copy} its tables are loaded once it is enabled, else they count as loaded. The apply
     * worker runs as the apply role.
     */
    void subscribe(PostgresSession subscriber, int publisherMajor, boolean copy) {
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
                "enabled = false, copy_data = " + copy + ", synchronous_commit = off" + origin + asOwner);
    }

    void subscribeProbe(PostgresSession subscriber) {
        if (exists(subscriber, names().probe())) {
            return;
        }
        create(subscriber, names().probe(), names().control(), "enabled = true, copy_data = false");
    }

    private void create(PostgresSession subscriber, String name, String owner, String options) {
        subscriber.transaction(() -> {
            subscriber.execute("CREATE SUBSCRIPTION " + Sql.name(name) + " CONNECTION "
                    + Sql.text(connection(subscriber.major())) + " PUBLICATION " + Sql.name(name)
                    + " WITH (create_slot = false, slot_name = " + Sql.text(name) + ", " + options + ")");
            subscriber.execute("ALTER SUBSCRIPTION " + Sql.name(name) + " OWNER TO " + Sql.name(owner));
        });
    }

    static boolean exists(PostgresSession subscriber, String subscription) {
        return subscriber.is(
                "SELECT true FROM pg_subscription WHERE subname = ? AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())",
                subscription);
    }

    /** How the subscriber's server reaches the publisher's; only superusers can read it there. */
    private String connection(int subscriberMajor) {
        Endpoint endpoint = pair.endpoint(from);
        Backend.Login login = EdenRoles.linkLogin(pair.migration(), endpoint, pair.records());
        String tls = "disable";
        if (endpoint.tls()) {
            tls = subscriberMajor >= SYSTEM_ROOTS_SINCE ? "verify-full sslrootcert=system" : "require";
        }
        return "host=" + value(endpoint.host()) + " port=" + endpoint.port() + " dbname=" + value(database(endpoint))
                + " user=" + value(login.user()) + " password="
                + value(login.password().reveal()) + " application_name="
                + value(names().session("link")) + " connect_timeout=5 keepalives_idle=10 sslmode=" + tls;
    }

    private static String database(Endpoint endpoint) {
        String database = endpoint.database();
        Backend.Login own = endpoint.login();
        if (database != null) {
            return database;
        }
        return own == null ? "postgres" : own.user();
    }

    /** libpq's quoting (PostgreSQL documentation, "Connection Strings"). */
    private static String value(String text) {
        return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'";
    }
}
