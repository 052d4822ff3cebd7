package dev.eden.proxy.postgres;

import io.netty.buffer.ByteBuf;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One client's reported settings: what its startup packet asked for, what its statements have changed since, and what a server has to be told. */
final class SessionSettings {
    private final PostgresLoop loop;
    private final Map<Integer, String> asked;
    private @Nullable Settings now;
    private @Nullable Settings atLogin;
    /** What the client has set itself, or its startup packet, bits of {@link Settings#bit} as all of these; the rest is the server's. */
    private int own;
    /** Of those, what RESET brings back. */
    private int kept;
    /** Where the client found that. */
    private @Nullable ServerAddress server;
    /** To be as they were in the beginning, once all is answered: as {@link #own}. */
    private int resets;
    /** What they are now the client has yet to be told. */
    private int untold;
    /** The server is being told what the client began with. */
    private boolean restoring;

    /** {@code asked}: of the startup packet, by index into {@link Settings#NAMES}. */
    SessionSettings(PostgresLoop loop, Map<Integer, String> asked) {
        this.loop = loop;
        this.asked = asked;
        for (int setting : asked.keySet()) {
            own |= Settings.bit(setting);
        }
        kept = own;
    }

    @Nullable
    Settings now() {
        return now;
    }

    /** True where transactions that say nothing else only read. */
    boolean readOnly() {
        Settings mine = now;
        return mine != null && "on".equals(mine.value(Settings.READ_ONLY));
    }

    /** True where the session has what this client set itself, and is the server's in everything else. */
    boolean satisfiedBy(ServerConnection connection) {
        SessionDefaults there = connection.defaults;
        return now == connection.settings
                && ((own & there.reported()) == there.assigned() || !connection.pool.sharesDefaults())
                && !moves(connection);
    }

    private boolean moves(ServerConnection connection) {
        ServerAddress here = connection.pool.key.server();
        return here != server && !here.equals(server);
    }

    /** True where what the client is to have depends on {@link SessionDefaults#BY_ROLE}. */
    boolean asksWhose(ServerConnection connection) {
        Settings mine = now;
        return mine != null
                && !connection.defaults.byRoleKnown()
                && connection.pool.sharesDefaults()
                && !moves(connection)
                && others(connection, mine) != 0;
    }

    private int others(ServerConnection connection, Settings mine) {
        SessionDefaults there = connection.defaults;
        return mine.differing(there.values()) & there.reported() & ~own;
    }

    /**
     * What a session for this client must have. What the client has not set itself is as the session has it, for that hears what becomes of it: the client
     * is told at the end of its next request, as by a server. But what is another's by ALTER ROLE or ALTER DATABASE, or on another server, stays as it was.
     */
    Settings wanted(ServerConnection connection) {
        SessionDefaults there = connection.defaults;
        Settings mine = now;
        if (mine == null) {
            mine = withAsked(there.values());
        } else {
            boolean moved = moves(connection);
            int others = others(connection, mine);
            int stay = moved || !connection.pool.sharesDefaults() ? others : others & there.byRole();
            own |= stay;
            kept |= stay;
            Settings original = atLogin;
            atLogin = original == null ? null : loop.settings.with(original, stay, mine);
            untold |= others & ~stay;
            mine = loop.settings.with(mine, others & ~stay, there.values());
        }
        server = connection.pool.key.server();
        now = mine;
        return mine;
    }

    /** What has to be set in a session. */
    Map<String, String> toSet(ServerConnection connection, Settings wanted) {
        SessionDefaults there = connection.defaults;
        Map<String, String> set = new LinkedHashMap<>();
        for (int i = 0; i < Settings.NAMES.length; i++) {
            String value = wanted.value(i);
            int bit = Settings.bit(i);
            boolean left = (own & bit) == 0 && (there.reported() & bit) != 0;
            boolean has =
                    (there.assigned() & bit) != 0 || (there.reported() & bit) == 0 || !connection.pool.sharesDefaults();
            if (value != null && !left && !(has && value.equals(connection.settings.value(i)))) {
                set.put(Settings.NAMES[i], value);
            }
        }
        return set;
    }

    /** What somebody else has set in a session. */
    int toReset(ServerConnection connection) {
        SessionDefaults there = connection.defaults;
        return connection.pool.sharesDefaults() ? (there.assigned() | there.differing()) & ~own : 0;
    }

    private Settings withAsked(Settings defaults) {
        Settings mine = defaults;
        for (Map.Entry<Integer, String> one : asked.entrySet()) {
            mine = loop.settings.with(mine, one.getKey(), one.getValue());
        }
        return mine;
    }

    /** The settings as a server will report them, if sessions like this one have been seen; null: one has to be begun. */
    @Nullable
    Settings foreseen(ServerPool pool) {
        ServerPool.Welcome known = pool.welcome();
        if (known == null) {
            return null;
        }
        server = pool.key.server();
        Settings mine = withAsked(known.settings());
        return mine.satisfiedBy(known.settings()) ? known.settings() : pool.canonical(mine);
    }

    /** The client is let in with these. */
    void login(Settings seen) {
        now = seen;
        atLogin = seen;
        untold = 0;
    }

    /** A server's session has been brought to {@code wanted}. */
    void brought(ServerConnection connection, Settings wanted) {
        for (int i = 0; i < Settings.NAMES.length; i++) {
            String value = wanted.value(i);
            if (value != null && !connection.reports(i)) {
                connection.has(i, value);
            }
        }
        connection.defaults.assigned(own);
        connection.defaults.settled(own);
        untold |= wanted.differing(connection.settings) & connection.defaults.reported() & ~own;
        now = connection.settings;
        connection.pool.remember(wanted, connection.settings);
    }

    /** The server says that a tracked setting has changed. */
    void changed(int setting, String value) {
        Settings before = now;
        if (before != null) {
            now = loop.settings.with(before, setting, value);
        }
    }

    /** As {@link #changed}, while the proxy asked something there of its own: the client has yet to be told. */
    void changedAside(int setting, String value) {
        if ((own & Settings.bit(setting)) == 0) {
            changed(setting, value);
            untold |= Settings.bit(setting);
        }
    }

    /** Backslashes in plain literals of the client's are backslashes. */
    boolean plainBackslashes() {
        Settings mine = now;
        return mine == null || mine.plainBackslashes();
    }

    /** A text is on its way that sets these, and has those at the end as they were in the beginning; both bits of {@link Settings#bit}. */
    void noted(int assigned, int reset) {
        resets = resets & ~assigned | reset;
        own = (own & ~reset | assigned) | kept & reset;
    }

    /** DISCARD ALL has run: what it has brought back, and no text behind it sets. */
    int discarded() {
        return resets & ~kept;
    }

    /**
     * The session's settings have changed, and all is answered. What no text has set may have been set by a function, and then it is this client's; or the server's
     * configuration has been reloaded, and then it is not. The server knows; {@code then} follows when it has said.
     */
    void heard(ServerConnection holding, Consumer<ServerConnection> then) {
        SessionDefaults there = holding.defaults;
        int doubt = there.differing() & ~own;
        if (doubt == 0 || !holding.pool.sharesDefaults()) {
            there.settled(own);
            return;
        }
        if (holding.answers.doubtful()) {
            own |= doubt; // the connection is this client's to its end
            return;
        }
        holding.exchange(new Exchange(SessionDefaults.ASSIGNED, outcome -> {
            int left = doubt & ~own;
            int set = outcome.error() == null ? SessionDefaults.bits(outcome.rows()) & left : left;
            there.assigned(there.assigned() & ~left | set);
            own |= set;
            there.settled(own);
            then.accept(holding);
        }));
    }

    /**
     * True where the client's next statement has to wait until what it resets is as it was in the beginning; {@code answered}: all that it has asked.
     */
    boolean resetting(boolean answered) {
        return restoring || resets != 0 && !answered;
    }

    /** True where the server reports, by RESET, a default that is not what the client began with: what it then gets is told by {@link #resetIfAsked}. */
    boolean conceals(int setting, String value, ServerConnection holding) {
        Settings mine = atLogin;
        boolean conceals = setting >= 0
                && (resets & kept & Settings.bit(setting)) != 0
                && mine != null
                && value.equals(holding.first().value(setting))
                && !value.equals(mine.value(setting));
        if (conceals) {
            untold |= Settings.bit(setting);
        }
        return conceals;
    }

    /**
     * After RESET: what that has made the server's default is the client's, as its startup packet said, and it is told so. A connection that the client keeps,
     * and a transaction, get that before the client's next statement; a rollback takes it back with the RESET. One that failed has changed nothing.
     *
     * @param pinned the client keeps its connection
     * @param status the transaction's, as ReadyForQuery has it
     * @param then what waits may go on
     * @return what the client is to be told; null: nothing
     */
    @Nullable
    ByteBuf resetIfAsked(@Nullable ServerConnection holding, boolean pinned, int status, Runnable then) {
        if (resets == 0 && untold == 0) {
            return null;
        }
        Settings before = now;
        int tell = untold;
        if (resets != 0 && status != 'E') {
            reset(holding, status == 'T', pinned, then);
        }
        resets = 0;
        untold = 0;
        Settings after = now;
        ByteBuf out = null;
        for (int i = 0; holding != null && before != null && after != null && i < Settings.NAMES.length; i++) {
            String value = after.value(i);
            boolean changed = value != null && !value.equals(before.value(i)) || (tell & Settings.bit(i)) != 0;
            if (changed && value != null && holding.reports(i)) {
                out = out == null ? loop.buffer() : out;
                Message.parameterStatus(out, Settings.NAMES[i], value, after.encoding());
            }
        }
        return out;
    }

    private void reset(@Nullable ServerConnection holding, boolean within, boolean pinned, Runnable then) {
        Settings mine = atLogin;
        Settings changed = now;
        int due = resets & kept;
        if (holding == null || mine == null || changed == null) {
            return;
        }
        Settings defaults = holding.first();
        for (int i = 0; i < Settings.NAMES.length; i++) {
            String original = mine.value(i);
            String current = changed.value(i);
            boolean reset = (due & Settings.bit(i)) != 0;
            if (reset && original != null && current != null && current.equals(defaults.value(i))) {
                changed = loop.settings.with(changed, i, original);
            }
        }
        now = changed;
        if (within || pinned) {
            boolean path = (due & Settings.bit(Settings.SEARCH_PATH)) != 0;
            String sql = restoring(
                    holding,
                    changed,
                    within,
                    path ? mine.value(Settings.SEARCH_PATH) : null,
                    defaults.value(Settings.SEARCH_PATH));
            if (!sql.isEmpty()) {
                restore(holding, sql, then);
            }
        }
    }

    /** Within a transaction by SET alone: a SELECT would take its snapshot, and some statements come before any. */
    private static String restoring(
            ServerConnection holding,
            Settings mine,
            boolean within,
            @Nullable String path,
            @Nullable String defaultPath) {
        Map<String, String> differences = mine.differencesTo(holding.settings);
        StringBuilder sql = new StringBuilder();
        if (!holding.reports(Settings.SEARCH_PATH)) {
            String name = Settings.NAMES[Settings.SEARCH_PATH];
            differences.remove(name);
            if (path != null && defaultPath != null && !path.equals(defaultPath)) {
                if (within) {
                    differences.put(name, path);
                } else {
                    sql.append(Settings.statement(Map.of(name, path)))
                            .append(" WHERE pg_catalog.current_setting('search_path') = ")
                            .append(Settings.literal(defaultPath))
                            .append(';');
                }
            }
        }
        if (!differences.isEmpty()) {
            for (String name : differences.keySet()) {
                holding.defaults.assign(Settings.bit(Settings.index(name)));
            }
            sql.append(within ? Settings.assignments(differences) : Settings.statement(differences));
        }
        return sql.toString();
    }

    private void restore(ServerConnection holding, String sql, Runnable then) {
        restoring = true;
        holding.statements.unsettle();
        holding.exchange(new Exchange(sql, outcome -> {
            restoring = false;
            if (outcome.error() == null) {
                then.run();
            } else {
                holding.close(); // not the session that the client takes it for
            }
        }));
    }

    /** Tells the client what its session begins with. */
    void report(ServerPool pool, ByteBuf out) {
        Map<String, String> reported = new LinkedHashMap<>();
        ServerPool.Welcome welcome = pool.welcome();
        if (welcome != null) {
            reported.putAll(welcome.reported());
        }
        Settings mine = now;
        for (int i = 0; mine != null && i < Settings.NAMES.length; i++) {
            String value = mine.value(i);
            if (value != null && reported.containsKey(Settings.NAMES[i])) {
                reported.put(Settings.NAMES[i], value);
            }
        }
        String encoding = mine == null ? null : mine.encoding();
        reported.forEach((name, value) -> Message.parameterStatus(out, name, value, encoding));
    }
}
