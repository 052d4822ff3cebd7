package dev.eden.activities.redis.preflight;

import dev.eden.activities.redis.ServerInfo;
import dev.eden.activities.redis.acl.AclSnapshot;
import dev.eden.activities.redis.acl.AclUser;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What only the two servers together show. */
final class PairFindings {
    /** A copy in a younger server of the same data may take more: fragmentation, other encodings, Eden's backlog. */
    private static final double HEADROOM = 1.2;

    private static final double CLOCK_WARNING_MILLIS = 50;

    private final ServerView source;
    private final ServerView target;
    private final boolean loginForClients;
    private final Findings findings;

    /** @param loginForClients the target's endpoint says that clients which never log in get its own login */
    PairFindings(ServerView source, ServerView target, boolean loginForClients, Findings findings) {
        this.source = source;
        this.target = target;
        this.loginForClients = loginForClients;
        this.findings = findings;
    }

    void check() {
        if (source.info().text("run_id").equals(target.info().text("run_id"))) {
            findings.failure(
                    "redis.server.same",
                    "Source and target are the same server (run_id "
                            + source.info().text("run_id") + ").",
                    "Name another target.");
            return;
        }
        formats();
        memory();
        databases();
        modules();
        clocks();
        if (source.users().isPresent() && target.users().isPresent()) {
            users(source.users().get(), target.users().get());
        }
    }

    private void formats() {
        int from = rdbVersion(source.info());
        int to = rdbVersion(target.info());
        if (from > to) {
            findings.failure(
                    "redis.version.target_older",
                    "The target (Redis " + target.info().version()
                            + ") cannot read values serialised by the source (Redis "
                            + source.info().version() + "): RDB version " + from + " against " + to + ".",
                    "Choose a target of the source's version or later.");
        } else if (from < to) {
            findings.warning(
                    "redis.version.way_back",
                    "The source (Redis " + source.info().version() + ") is older than the target (Redis "
                            + target.info().version()
                            + "): on the way back, keys are copied by their types where a value has to be copied"
                            + " whole, and a command, a type or a function that the source does not know ends it.",
                    "Use nothing that only the newer version has until the migration is finished.");
        }
    }

    /** {@code RDB_VERSION} in rdb.h of each release; a version between two releases counts as the lower one. */
    static int rdbVersion(ServerInfo info) {
        if (info.atLeast(7, 4)) {
            return 12;
        }
        if (info.atLeast(7, 2)) {
            return 11;
        }
        if (info.atLeast(7, 0)) {
            return 10;
        }
        return 9;
    }

    private void memory() {
        long used = source.info().number("used_memory");
        long limit = target.info().number("maxmemory");
        long system = target.info().number("total_system_memory");
        if (limit > 0 && limit < used) {
            findings.failure(
                    "redis.target.memory",
                    "The source uses " + used + " bytes, the target's maxmemory is " + limit + ".",
                    "Raise the target's maxmemory above " + Math.round(used * HEADROOM) + ".");
        } else if (limit > 0 && limit < used * HEADROOM) {
            findings.warning(
                    "redis.target.memory",
                    "The source uses " + used + " bytes, the target's maxmemory is " + limit + ": little room to grow.",
                    "Raise the target's maxmemory above " + Math.round(used * HEADROOM) + ".");
        } else if (limit == 0 && system > 0 && system < used * HEADROOM) {
            findings.warning(
                    "redis.target.memory",
                    "The source uses " + used + " bytes, the target's machine has " + system + " in all.",
                    "Choose a larger machine.");
        }
    }

    private void databases() {
        Optional<Integer> highest =
                source.info().keysByDatabase().keySet().stream().max(Integer::compare);
        Optional<Integer> there = target.setting("databases").map(Integer::parseInt);
        if (highest.isPresent() && there.isPresent() && highest.get() >= there.get()) {
            findings.failure(
                    "redis.databases",
                    "The source has keys in database " + highest.get() + ", the target has only " + there.get()
                            + " databases.",
                    "Raise databases on the target (needs a restart).");
        }
        Optional<Integer> here = source.setting("databases").map(Integer::parseInt);
        if (here.isPresent() && there.isPresent() && there.get() < here.get()) {
            findings.warning(
                    "redis.databases.fewer",
                    "The source has " + here.get() + " databases, the target " + there.get()
                            + ": an application that begins to use a higher one stops the replication.",
                    "Raise databases on the target (needs a restart).");
        } else if (here.isPresent() && there.isPresent() && here.get() < there.get()) {
            findings.warning(
                    "redis.databases.fewer",
                    "The target has " + there.get() + " databases, the source " + here.get()
                            + ": an application that begins to use a higher one after the cutover ends the way back.",
                    "Raise databases on the source (needs a restart), or use no higher ones until the migration is"
                            + " finished.");
        }
    }

    private void modules() {
        List<String> missing = new ArrayList<>(source.modules());
        missing.removeAll(target.modules());
        if (!missing.isEmpty()) {
            findings.failure(
                    "redis.modules.missing",
                    "The source has modules that the target has not: " + String.join(", ", missing) + ".",
                    "Load them on the target.");
        } else if (!source.modules().isEmpty()) {
            findings.warning(
                    "redis.modules.values",
                    "The source has modules (" + String.join(", ", source.modules())
                            + "): a value of a module's own type stops the load.",
                    "Make sure that no key holds such a value.");
        }
    }

    private void clocks() {
        double offset = Math.abs(source.clockOffsetMillis() - target.clockOffsetMillis());
        if (offset > CLOCK_WARNING_MILLIS) {
            findings.warning(
                    "redis.clock.between",
                    "The clocks of source and target differ by " + Math.round(offset)
                            + " ms: keys with an expiry would disappear on one of them before the other.",
                    "Set the clocks by NTP.");
        }
    }

    private void users(AclSnapshot from, AclSnapshot to) {
        clientsWithoutLogin(open(from), open(to));
        List<String> copied = new ArrayList<>();
        List<String> different = new ArrayList<>();
        for (AclUser user : from.users()) {
            Optional<AclUser> there = to.user(user.name());
            if (there.isEmpty()) {
                copied.add(user.name());
            } else if (!there.get().rules().equals(user.rules())) {
                if (user.name().equals("default")) {
                    findings.warning(
                            "redis.acl.default_differs",
                            "The default user differs between source and target; clients that do not log in get the"
                                    + " target's after the cutover.",
                            "Make both equal, unless this is wanted.");
                } else {
                    different.add(user.name());
                }
            }
        }
        if (!copied.isEmpty()) {
            findings.info(
                    "redis.acl.copied",
                    "These users of the source are copied to the target, with their passwords: "
                            + String.join(", ", copied) + ".");
        }
        if (!different.isEmpty()) {
            findings.warning(
                    "redis.acl.users_differ",
                    "These users exist on both servers with different rules or passwords; the target's stay: "
                            + String.join(", ", different) + ".",
                    "Make them equal: a client whose password is not accepted by the target cannot be moved.");
        }
    }

    /** Such clients are the default user, where that one needs no password. */
    private void clientsWithoutLogin(boolean served, boolean wouldBeServed) {
        if (loginForClients && !served) {
            findings.failure(
                    "redis.client_login.source_protected",
                    "Clients that do not log in are refused by the source, but the target's endpoint would log them in"
                            + " with its own credentials (options.client_login): they would get rights that they never"
                            + " had.",
                    "Set options.client_login of the target's endpoint to \"none\".");
        } else if (!loginForClients && served && !wouldBeServed) {
            findings.warning(
                    "redis.client_login.target_protected",
                    "The source serves clients that do not log in; the target's default user needs a password, so they"
                            + " would be refused after the cutover.",
                    "Let clients log in as a user that both servers know; or set options.client_login of the target's"
                            + " endpoint to \"endpoint\": proxies then log such clients in with the endpoint's"
                            + " credentials.");
        } else if (loginForClients) {
            findings.info(
                    "redis.client_login.endpoint",
                    "On the target, clients that do not log in are given the credentials of its endpoint.");
        }
    }

    private static boolean open(AclSnapshot users) {
        return users.user("default")
                .filter(user -> user.on() && user.rules().contains("nopass"))
                .isPresent();
    }
}
