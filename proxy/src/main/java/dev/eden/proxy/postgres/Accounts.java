package dev.eden.proxy.postgres;

import dev.eden.proxy.Backend;
import dev.eden.proxy.InterlayUsers;
import dev.eden.proxy.Secret;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The users of one proxy: their stored verifiers as the active server has them ({@code pg_authid}, read with Eden's login) and the keys that
 * their clients' proofs gave away. Shared by the loops. A verifier is read again when it is older than a while or when somebody's proof failed.
 * Of a user whose password the interlay has been given the server is asked only whether it may log in.
 *
 * <p>When which way works is in {@code docs/postgres-authentication.md}.
 */
final class Accounts {
    private static final long FRESH = Duration.ofSeconds(30).toNanos();
    /** Anybody who reaches the proxy may say any name. */
    private static final int REMEMBERED = 10_000;

    private final Set<String> trusted;
    /** Null while nobody knows. */
    private final Supplier<InterlayUsers> configured;

    private final Map<String, Known> known = new ConcurrentHashMap<>();
    private final Map<String, Credential> credentials = new ConcurrentHashMap<>();
    private final Map<String, Proof> proofs = new ConcurrentHashMap<>();
    /** Where the interlay has none that all its proxies share. */
    private final byte[] ownSeed = new byte[32];

    /** {@code given}: as the interlay had the user then. */
    private record Known(ServerAddress server, InterlayUsers.@Nullable User given, Account account, long readAt) {}

    /** A server has let the user in by this password. */
    private record Proof(Secret password, ServerAddress server, long at) {}

    Accounts(Set<String> trusted, Supplier<InterlayUsers> configured) {
        this.trusted = trusted;
        this.configured = configured;
        new SecureRandom().nextBytes(ownSeed);
    }

    /** What a user of this account proves itself by, where that is SCRAM. */
    Scram.Verifier verifier(String user, Account account) {
        return switch (account) {
            case Account.ScramVerifier known -> known.verifier();
            case Account.Unknown nobody -> Scram.Verifier.mock(user, seed(), nobody.iterations());
            case Account.Trusted _, Account.Md5Verifier _, Account.Refused _, Account.Barred _, Account.Unreadable _ ->
                throw new ProtocolViolation("unexpected SASL message");
        };
    }

    private byte[] seed() {
        Secret common = configured.get().seed();
        return common == null ? ownSeed : common.reveal().getBytes(StandardCharsets.UTF_8);
    }

    /** Finds out how {@code user} proves itself; calls back on the loop's thread, maybe before it returns. */
    void find(PostgresLoop loop, String user, Consumer<Account> then) {
        InterlayUsers users = configured.get();
        InterlayUsers.User given = users.byName().get(user);
        // One whose password no key opens here is held against what the server stores.
        if (given == null && trusted.contains(user) && !users.unreadable().contains(user)) {
            then.accept(new Account.Trusted());
            return;
        }
        Backend active = loop.gate.activeBackend();
        if (active == null) {
            then.accept(new Account.Unreadable("the interlay has no endpoint yet"));
            return;
        }
        Known cached = known.get(user);
        ServerAddress server = ServerAddress.of(active);
        if (cached != null
                && cached.server().equals(server)
                && Objects.equals(cached.given(), given)
                && System.nanoTime() - cached.readAt() < FRESH) {
            then.accept(cached.account());
            return;
        }
        Backend.Login reader = active.edenLogin();
        if (reader == null) {
            then.accept(
                    given == null
                            ? new Account.Unreadable("the endpoint has no login that could read the users' verifiers")
                            : account(given));
            return;
        }
        // Whoever may log in may read pg_roles.
        String sql = "SELECT " + (given == null ? "rolpassword" : "NULL")
                + ", rolcanlogin, coalesce(rolvaliduntil < now(), false),"
                + " coalesce(current_setting('scram_iterations', true), '" + Scram.ITERATIONS + "')"
                + " FROM (SELECT) one LEFT JOIN pg_catalog." + (given == null ? "pg_authid" : "pg_roles")
                + " ON rolname = " + Settings.literal(user);
        loop.edenPool(active, reader).exchange(sql, outcome -> {
            Account account = given == null ? account(outcome) : account(given);
            if (outcome.error() == null && loop.gate.calm()) {
                account = permitted(user, account, outcome);
            }
            switch (account) {
                case Account.Unreadable _, Account.Barred _ -> known.remove(user); // and ask again next time
                case Account.Refused _ -> {
                    // says nothing of the user
                }
                case Account.Trusted _, Account.ScramVerifier _, Account.Md5Verifier _, Account.Unknown _ -> {
                    if (known.size() >= REMEMBERED) {
                        known.clear(); // names that nobody has, most of them
                    }
                    known.put(user, new Known(server, given, account, System.nanoTime()));
                }
            }
            then.accept(account);
        });
    }

    private static Account account(InterlayUsers.User given) {
        Scram.Verifier verifier = Scram.Verifier.parse(given.verifier().reveal());
        return verifier == null
                ? new Account.Unreadable("the interlay's verifier of this user is of no known kind")
                : new Account.ScramVerifier(verifier, new Credential.Password(given.password()));
    }

    private static Account account(Exchange.Outcome outcome) {
        ErrorMessage error = outcome.error();
        if (error != null) {
            return hides(error)
                    ? new Account.Unreadable("the users' verifiers cannot be read (pg_authid: " + error.message() + ")")
                    : new Account.Refused(error.as("FATAL"));
        }
        @Nullable String stored = outcome.rows().getFirst()[0];
        if (stored == null) {
            return unknown(outcome);
        }
        Scram.Verifier verifier = Scram.Verifier.parse(stored);
        if (verifier != null) {
            return new Account.ScramVerifier(verifier, null);
        }
        return Md5.isStored(stored)
                ? new Account.Md5Verifier(new Credential.Md5(new Secret(stored)))
                : new Account.Unreadable("the stored password of this user is of no known kind");
    }

    /** True where a server that is there keeps the verifiers from Eden's login, today and tomorrow. */
    private static boolean hides(ErrorMessage error) {
        String state = error.sqlState();
        return state.startsWith("42") || state.startsWith("28");
    }

    /** Only what the server says outside an attempt: within one, NOLOGIN is Eden's own fence. */
    private static Account permitted(String user, Account account, Exchange.Outcome outcome) {
        @Nullable String[] row = outcome.rows().getFirst();
        if ("f".equals(row[1])) {
            return account instanceof Account.ScramVerifier || account instanceof Account.Md5Verifier
                    ? new Account.Barred(
                            account, ErrorMessage.fatal("28000", "role \"" + user + "\" is not permitted to log in"))
                    : account;
        }
        return row[1] == null || "t".equals(row[2]) ? unknown(outcome) : account;
    }

    private static Account unknown(Exchange.Outcome outcome) {
        return new Account.Unknown(
                Integer.parseInt(String.valueOf(outcome.rows().getFirst()[3])));
    }

    /**
     * Asks the active server whether it lets the user in with this password; null to {@code then} when it does. Its last word holds for a while, and
     * during an attempt, when Eden's own fence would refuse everybody.
     */
    void tryPassword(PostgresLoop loop, StartupPacket said, Secret password, Consumer<@Nullable ErrorMessage> then) {
        Backend active = loop.gate.activeBackend();
        if (active == null) {
            then.accept(ErrorMessage.fatal("57P03", "eden: the interlay has no endpoint yet"));
            return;
        }
        String user = said.user();
        ServerAddress server = ServerAddress.of(active);
        Proof last = proofs.get(user);
        boolean before = last != null && last.password().equals(password);
        boolean fresh = last != null && last.server().equals(server) && System.nanoTime() - last.at() < FRESH;
        if (before && (fresh || !loop.gate.calm())) {
            then.accept(null);
            return;
        }
        PoolKey key = new PoolKey(server, said.database(), user, Map.of()).on(active);
        ServerPool pool = new ServerPool(loop, key, 1, new Credential.Password(password, true));
        pool.exchange("SELECT 1", outcome -> {
            pool.close();
            ErrorMessage error = outcome.error();
            if (error == null) {
                proofs.put(user, new Proof(password, server, System.nanoTime()));
            } else if (before && excuses(error, loop.gate.calm())) {
                error = null;
            } else {
                refused(loop, user);
            }
            then.accept(error);
        });
    }

    /** True where an error says nothing against a password that was right before. */
    private static boolean excuses(ErrorMessage error, boolean calm) {
        return switch (error.sqlState()) {
            case "53300" -> true; // no connection left, maybe because the proxy has them all
            case "28P01" -> false;
            default -> !calm;
        };
    }

    /** The active server has refused the user: a password that it took before is tried anew. Within an attempt Eden's fence refuses. */
    void refused(PostgresLoop loop, String user) {
        if (loop.gate.calm()) {
            proofs.remove(user);
        }
    }

    /** A proof failed: maybe the password has changed. */
    void doubt(String user) {
        known.remove(user);
    }

    /** The user has proved itself; servers are shown this from now on. */
    void proven(String user, Credential credential) {
        credentials.put(user, credential);
    }

    /** What servers are shown for a user who has been here: the password that the interlay has now, also for who came before it had. */
    Credential credential(String user) {
        InterlayUsers.User given = configured.get().byName().get(user);
        return given == null
                ? credentials.getOrDefault(user, new Credential.None())
                : new Credential.Password(given.password());
    }
}
