package dev.eden.proxy.postgres;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Why one client must keep its connection to a server, as its statements say (a guess on the safe side) and as a probe of the session has found.
 */
final class SessionPins {
    private static final long PROBE_PAUSE = 100_000_000;
    /** Of customized options: a client that makes up more is not asked for them all. */
    private static final int MOST_CUSTOMS = 100;

    private static final int APART = Pin.SETTING.bit() | Pin.ROLE.bit() | Pin.TEMPORARY.bit() | Pin.HIDDEN.bit();

    private final ClientSession session;
    private final PostgresLoop loop;
    private int pins;
    private final Set<String> customs = new LinkedHashSet<>(0);
    private boolean unprobed;
    /** A statement that was prepared by SQL does more than read and write rows. */
    private boolean preparedTouches;

    private boolean probing;
    private long probedAt;
    private long idleSince;
    private @Nullable SessionState found;

    SessionPins(ClientSession session) {
        this.session = session;
        this.loop = session.loop;
    }

    boolean any() {
        return pins != 0;
    }

    /** What the session has cannot be seen by a SELECT: statements and cursors under names of their own. */
    boolean onlyNamed() {
        return pins != 0 && (pins & ~(Pin.PREPARE.bit() | Pin.CURSOR.bit())) == 0;
    }

    /** True where a text may be read otherwise than in another session with the same settings, as far as those are tracked. */
    boolean parsesApart(ServerConnection holding) {
        return session.poolsSessions()
                || (pins & APART) != 0
                || (pins & Pin.UNKNOWN.bit()) != 0 && !holding.reports(Settings.SEARCH_PATH);
    }

    boolean probing() {
        return probing;
    }

    /** Statements have run since the session was looked at, or nobody has looked. */
    boolean unknown() {
        return unprobed || found == null;
    }

    boolean unprobed() {
        return unprobed;
    }

    /** Notes what a statement leaves in the session. */
    void note(StatementText.Effect effect, ServerConnection holding) {
        unprobed |= touches(effect.touch());
        if (effect.sets() && !executesKnown(effect)) {
            holding.statements.unsettle();
        }
        if (effect.lasting()) {
            holding.keepsState();
        }
        session.settings.noted(effect.assigns(), effect.resets());
        holding.defaults.assign(effect.assigns());
        int wanted = effect.pins();
        if (effect.resetsSearchPath() && !holding.reports(Settings.SEARCH_PATH)) {
            wanted |= Pin.SETTING.bit(); // what it is now is to be asked
        }
        if (!effect.customs().isEmpty()) {
            wanted |= remember(effect.customs(), holding) ? 0 : Pin.HIDDEN.bit();
        }
        if (wanted == 0) {
            return;
        }
        preparedTouches |= (wanted & Pin.PREPARE.bit()) != 0 && wanted != Pin.PREPARE.bit();
        if ((wanted & Pin.SETTING.bit()) != 0 && wanted == Pin.SETTING.bit() && onlySearchPath(effect, holding)) {
            wanted = 0;
        }
        int added = wanted & ~pins;
        pins |= wanted;
        for (Pin pin : Pin.of(added)) {
            loop.counters.pins[pin.ordinal()]++;
        }
    }

    /** Why what a text asks of its session would be another client's; null: it does not, or its session is this client's. */
    @Nullable
    ErrorMessage refusal(StatementText.Effect effect) {
        if (!effect.asks() || session.pinned() || session.batches.runs() || session.transaction.open()) {
            return null;
        }
        ServerConnection holding = session.server();
        if (holding != null && holding.transactionOpen()) {
            return null;
        }
        return ErrorMessage.error(
                        "55000", "eden: currval and lastval would tell what another client has drawn from a sequence")
                .detail("Between transactions the connection to the server has gone to others.")
                .hint("Use RETURNING, ask in the INSERT's own transaction, or pool sessions.");
    }

    /** Names to ask for; false: not all of them can be. */
    private boolean remember(List<String> names, ServerConnection holding) {
        boolean readable =
                Encoding.isUtf8(holding.settings.encoding()) || names.stream().allMatch(Encoding::ascii);
        if (readable) {
            customs.addAll(names);
        }
        return readable && customs.size() <= MOST_CUSTOMS;
    }

    /** The session has something that no other can be given. */
    void hides() {
        pins |= Pin.HIDDEN.bit();
    }

    /** What it executes is noted by itself. */
    private boolean executesKnown(StatementText.Effect effect) {
        String executes = effect.executes();
        return executes != null && session.statements.has(executes);
    }

    /**
     * Between clients that share connections a text is taken at its word, whether the session is pinned or not: what was found in it still holds.
     * Where a session is one client's alone, functions may have left there what no text shows.
     */
    private boolean touches(StatementText.Touch touch) {
        return session.poolsSessions()
                || switch (touch) {
                    case NOTHING -> false;
                    case PREPARED -> preparedTouches || found != null && found.bound() != 0;
                    case SESSION -> true;
                };
    }

    private static boolean onlySearchPath(StatementText.Effect effect, ServerConnection holding) {
        return effect.onlySearchPath() && holding.reports(Settings.SEARCH_PATH);
    }

    /** DISCARD ALL has run. */
    void clear(boolean kept) {
        pins = kept ? Pin.HIDDEN.bit() : 0;
        customs.clear();
    }

    /** Others wait, or nobody knows what the last statement did: looks at once, at most every tenth of a second where there was something. */
    void probeIfWanted(ServerConnection holding) {
        boolean guess = (pins & Pin.UNKNOWN.bit()) != 0;
        if ((guess || holding.pool.contended()) && (found == null || loop.now - probedAt > PROBE_PAUSE)) {
            probe();
        }
    }

    /** Everything that the client asked has been answered. */
    void rests() {
        idleSince = loop.now;
    }

    /** Looks whether a session that rests since before {@code before} still has state. */
    void probeIfIdle(long before) {
        if (pins != 0 && unprobed && !session.poolsSessions() && idleSince - before < 0) {
            probe();
        }
    }

    /** Asks the server what the session has, if nothing is under way there. */
    void probe() {
        ServerConnection holding = session.probeable();
        if (holding == null || probing) {
            return;
        }
        probing = true;
        probedAt = loop.now;
        unprobed = false;
        holding.exchange(new Exchange(SessionState.probe(customs), outcome -> {
            probing = false;
            if (!session.holds(holding)) {
                return;
            }
            if (outcome.error() != null) {
                found = null;
                return;
            }
            SessionState state =
                    SessionState.of(outcome.rows(), "on".equals(holding.settings.value(Settings.CONFORMING_STRINGS)));
            found = state;
            if (!unprobed) {
                String path = state.searchPath();
                if (path != null && !holding.reports(Settings.SEARCH_PATH)) {
                    holding.has(Settings.SEARCH_PATH, path);
                    session.settings.changed(Settings.SEARCH_PATH, path);
                }
                int hidden = pins & Pin.HIDDEN.bit();
                if (state.pins() == 0 && hidden == 0 && pins != 0) {
                    loop.counters.pinsProbedClean++;
                }
                pins = state.pins() | hidden;
                session.giveBackIfIdle();
            }
        }));
    }

    // ---- over a flip

    /** Why the session of a pinned client would end with a flip; null where it would go on. */
    @Nullable
    String cannotBeCarried() {
        SessionState state = found;
        if (state == null || unprobed) {
            return Pin.UNKNOWN.label();
        }
        int lost = state.bound() | (pins & Pin.HIDDEN.bit());
        return lost == 0 ? null : Pin.of(lost).getFirst().label();
    }

    /** True where everything that the session has can be made again. */
    boolean carriable() {
        SessionState state = found;
        return !unprobed && state != null && ((state.bound() | pins & Pin.HIDDEN.bit()) == 0);
    }

    boolean listens() {
        SessionState state = found;
        return state != null && !state.channels().isEmpty();
    }

    /** The state of a session that was looked at, for the client to take along; null: it has none. Nothing pins the client any more. */
    @Nullable
    SessionState take() {
        SessionState state = found;
        pins = 0;
        found = null;
        return state == null || state.pins() == 0 ? null : state;
    }

    /** What was known of the session is of no use: the client has left it. */
    void forget() {
        found = null;
    }

    /** The session on the next connection has been given this. */
    void arrived(SessionState state) {
        found = state;
        pins = state.pins();
        unprobed = false;
    }
}
