package dev.eden.proxy.postgres;

import dev.eden.proxy.Backend;
import dev.eden.proxy.Secret;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The users of one proxy: their stored verifiers as the active server has them ({@code pg_authid}, read with Eden's login) and the keys that
 * their clients' proofs gave away. Shared by the loops. A verifier is read again when it is older than a while or when somebody's proof failed.
 *
 * <p>When which way works is in {@code docs/postgres-authentication.md}.
 */
final class Accounts {
    private static final long FRESH = Duration.ofSeconds(30).toNanos();

    private final Set<String> trusted;
    private final Map<String, Known> known = new ConcurrentHashMap<>();
    private final Map<String, Credential> credentials = new ConcurrentHashMap<>();
    private final byte[] mockSeed = new byte[32];

    private record Known(ServerAddress server, Account account, long readAt) {}

    Accounts(Set<String> trusted) {
        this.trusted = trusted;
        new SecureRandom().nextBytes(mockSeed);
    }

    Scram.Verifier mock(String user) {
        return Scram.Verifier.mock(user, mockSeed);
    }

    /** Finds out how {@code user} proves itself; calls back on the loop's thread, maybe before it returns. */
    void find(PostgresLoop loop, String user, Consumer<Account> then) {
        if (trusted.contains(user)) {
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
        if (cached != null && cached.server().equals(server) && System.nanoTime() - cached.readAt() < FRESH) {
            then.accept(cached.account());
            return;
        }
        Backend.Login reader = active.edenLogin() != null ? active.edenLogin() : active.clientLogin();
        if (reader == null) {
            then.accept(new Account.Unreadable("the endpoint has no login that could read the users' verifiers"));
            return;
        }
        String sql = "SELECT rolpassword, rolcanlogin, coalesce(rolvaliduntil < now(), false) FROM pg_catalog.pg_authid"
                + " WHERE rolname = " + Settings.literal(user);
        loop.edenPool(active, reader).exchange(sql, outcome -> {
            Account account = account(user, active, outcome);
            if (outcome.error() == null && loop.gate.calm()) {
                account = permitted(user, account, outcome);
            }
            if (account instanceof Account.Unreadable || account instanceof Account.Refused) {
                known.remove(user); // and ask again next time
            } else {
                known.put(user, new Known(server, account, System.nanoTime()));
            }
            then.accept(account);
        });
    }

    private Account account(String user, Backend active, Exchange.Outcome outcome) {
        Backend.Login configured = active.clientLogin();
        if (outcome.error() != null) {
            if (configured != null && configured.user().equals(user)) {
                return configured(user, configured.password());
            }
            return new Account.Unreadable("the users' verifiers cannot be read (pg_authid: "
                    + outcome.error().message() + ")");
        }
        if (outcome.rows().isEmpty()) {
            return new Account.Unknown();
        }
        @Nullable String stored = outcome.rows().getFirst()[0];
        if (stored == null) {
            return new Account.Unknown();
        }
        Scram.Verifier verifier = Scram.Verifier.parse(stored);
        if (verifier != null) {
            return new Account.ScramVerifier(verifier, null);
        }
        return Md5.isStored(stored)
                ? new Account.Md5Verifier(new Credential.Md5(new Secret(stored)))
                : new Account.Unreadable("the stored password of this user is of no known kind");
    }

    /** Only what the server says outside an attempt: within one, NOLOGIN is Eden's own fence. */
    private static Account permitted(String user, Account account, Exchange.Outcome outcome) {
        if (outcome.rows().isEmpty()) {
            return account;
        }
        @Nullable String[] row = outcome.rows().getFirst();
        if ("f".equals(row[1])) {
            return new Account.Refused(ErrorMessage.fatal("28000", "role \"" + user + "\" is not permitted to log in"));
        }
        return "t".equals(row[2]) ? new Account.Unknown() : account;
    }

    private Account configured(String user, Secret password) {
        Scram.Verifier mock = mock(user);
        return new Account.ScramVerifier(
                Scram.Verifier.of(password.reveal(), mock.salt(), mock.iterations()),
                new Credential.Password(password));
    }

    /** Asks the active server whether it lets the user in with this password; null to {@code then} when it does. */
    void tryPassword(PostgresLoop loop, StartupPacket said, Secret password, Consumer<@Nullable ErrorMessage> then) {
        Backend active = loop.gate.activeBackend();
        if (active == null) {
            then.accept(ErrorMessage.fatal("57P03", "eden: the interlay has no endpoint yet"));
            return;
        }
        if (credential(said.user()) instanceof Credential.Password(Secret right) && right.equals(password)) {
            then.accept(null); // a server has said so before
            return;
        }
        PoolKey key = new PoolKey(ServerAddress.of(active), said.database(), said.user(), Map.of()).on(active);
        ServerPool pool = new ServerPool(loop, key, 1, new Credential.Password(password));
        pool.exchange("SELECT 1", outcome -> {
            pool.close();
            then.accept(outcome.error());
        });
    }

    /** A proof failed: maybe the password has changed. */
    void doubt(String user) {
        known.remove(user);
    }

    /** The user has proved itself; servers are shown this from now on. */
    void proven(String user, Credential credential) {
        credentials.put(user, credential);
    }

    /** What servers are shown for a user who has been here. */
    Credential credential(String user) {
        return credentials.getOrDefault(user, new Credential.None());
    }
}
