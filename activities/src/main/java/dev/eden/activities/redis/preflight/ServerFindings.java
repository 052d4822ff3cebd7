package dev.eden.activities.redis.preflight;

import dev.eden.activities.redis.acl.AclUsers;

/** What must be true of either server: both will own writes and both will be fenced. */
final class ServerFindings {
    private static final double CLOCK_WARNING_MILLIS = 50;
    private static final double CLOCK_FAILURE_MILLIS = 1_000;
    private static final long SPARE_CLIENTS = 100;

    private final ServerView server;
    private final Findings findings;

    ServerFindings(ServerView server, Findings findings) {
        this.server = server;
        this.findings = findings;
    }

    void check() {
        identity();
        rights();
        fence();
        clock();
        capacity();
    }

    private void identity() {
        String version = server.info().version();
        findings.info("redis.version", "The " + server.name() + " runs Redis " + version + ".");
        if (!server.info().atLeast(6, 2)) {
            findings.failure(
                    "redis.version.unsupported",
                    "The " + server.name() + " runs Redis " + version
                            + "; Eden needs 6.2 or later: older servers cannot pause writes alone (CLIENT PAUSE … WRITE).",
                    "Upgrade the server first.");
        }
        if (!server.info().text("role").equals("master")) {
            findings.failure(
                    "redis.role.not_master",
                    "The " + server.name() + " is a replica (role "
                            + server.info().text("role") + ").",
                    "Name the master as endpoint.");
        }
        if (server.info().number("cluster_enabled") == 1) {
            findings.failure(
                    "redis.cluster.unsupported",
                    "The " + server.name() + " runs in cluster mode.",
                    "Eden moves single servers; there is no way around this yet.");
        }
        if (server.info().number("loading") == 1) {
            findings.failure(
                    "redis.loading",
                    "The " + server.name() + " is still loading its data.",
                    "Wait until it has started.");
        }
    }

    private void rights() {
        if (!server.ability("acl").allowed() || server.users().isEmpty()) {
            findings.failure(
                    "redis.acl.forbidden",
                    "The login of the " + server.name()
                            + " may not manage users (ACL SETUSER, ACL LIST): Eden could neither make its own nor fence the others.",
                    "Allow +acl to the endpoint's login.");
        }
        if (server.ability("config").allowed()) {
            return;
        }
        findings.warning(
                "redis.config.forbidden",
                "The " + server.name() + " does not let Eden change settings: its replication backlog stays at "
                        + server.setting("repl-backlog-size").orElse("an unknown number of")
                        + " bytes, so an interruption"
                        + " that outlasts it means a new full load, or, after a flip, the loss of the way back.",
                "Allow +config, or set repl-backlog-size to at least 64mb.");
    }

    private void fence() {
        if (server.ability("pause") == Abilities.Ability.UNKNOWN_COMMAND) {
            findings.failure(
                    "redis.pause.unavailable",
                    "The " + server.name() + " does not offer CLIENT PAUSE.",
                    "Ask the provider to enable it.");
        }
        long replicas = server.info().number("connected_slaves");
        if (replicas > 0) {
            findings.warning(
                    "redis.replicas.unfenced",
                    "The " + server.name() + " has " + replicas
                            + " replicas. They do not carry Eden's fence: clients that read from them go on doing so, and a"
                            + " failover to one of them lifts the fence.",
                    "Point such clients to the interlay; do not fail over while the migration runs.");
        }
        appendOnlyFile();
        if (server.setting("aclfile").orElse("").isEmpty()) {
            findings.warning(
                    "redis.acl.not_persistent",
                    "The " + server.name()
                            + " keeps users in memory or in its configuration file, so a restart while it is"
                            + " fenced lifts the fence until Eden has seen it (within a minute).",
                    "Configure an aclfile, or do not restart the server while the migration runs. Users that came with the"
                            + " migration are in memory only as well: once it has ended, keep them by CONFIG REWRITE before the next"
                            + " restart.");
        } else {
            findings.info(
                    "redis.acl.persistent",
                    "The " + server.name()
                            + " keeps users in a file: Eden saves its fence there, which drops the file's comments.");
        }
    }

    /** Redis source, {@code createAOFClient} and {@code execCommand}: see {@link AclUsers#persistFence}. */
    private void appendOnlyFile() {
        boolean restricted = server.users()
                .flatMap(users -> users.user("default"))
                .map(user -> !user.unrestricted())
                .orElse(false);
        if (!restricted || !server.setting("appendonly").orElse("").equals("yes")) {
            return;
        }
        String message = "The " + server.name()
                + " has an append-only file and a user default that may not do everything: Redis loads the file as that"
                + " user and leaves every transaction in it out, silently, when it restarts.";
        String remedy =
                "ACL SETUSER default off +@all ~* &*: nobody can be a user that is off, and the file loads whole.";
        if (server.side().equals("target")) {
            // Eden's batches are transactions: a restart would lose them and keep what says that they are there.
            findings.failure("redis.aof.default_user", message, remedy);
        } else {
            findings.warning("redis.aof.default_user", message, remedy);
        }
    }

    private void clock() {
        double offset = Math.abs(server.clockOffsetMillis());
        String message = "The clock of the " + server.name() + " is " + Math.round(server.clockOffsetMillis())
                + " ms off Eden's: keys would expire that much early or late.";
        if (offset > CLOCK_FAILURE_MILLIS) {
            findings.failure("redis.clock.offset", message, "Set the clocks by NTP.");
        } else if (offset > CLOCK_WARNING_MILLIS) {
            findings.warning("redis.clock.offset", message, "Set the clocks by NTP.");
        }
    }

    private void capacity() {
        long clients = server.info().number("maxclients");
        long connected = server.info().number("connected_clients");
        if (clients > 0 && clients - connected < SPARE_CLIENTS) {
            findings.warning(
                    "redis.maxclients",
                    "The " + server.name() + " has " + connected + " of " + clients + " possible connections.",
                    "Raise maxclients: during a flip the proxies hold connections to both servers.");
        }
    }
}
