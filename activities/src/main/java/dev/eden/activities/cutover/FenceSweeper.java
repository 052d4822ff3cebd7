package dev.eden.activities.cutover;

import dev.eden.activities.cutover.CutoverEngine.Others;
import dev.eden.activities.cutover.CutoverEngine.Side;
import dev.eden.activities.store.RouteLedger;
import dev.eden.activities.store.RouteLedger.Routes;
import dev.eden.proxy.RouteState;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checks that every standby is fenced and every active side is not, and mends it: a server that restarted may have forgotten
 * its users' rules. Looks what those of the active side's users are, for proxies that let the standby answer. Works only on STABLE routes; its session is ended by the next attempt before that touches a server.
 */
public final class FenceSweeper {
    private static final Logger LOGGER = LoggerFactory.getLogger(FenceSweeper.class);

    /**
     * How many are looked at in one pass: each is two connections and their logins. With {@link SweepLoop}'s two seconds between passes the
     * servers of up to forty migrations are looked at every two seconds, those of two hundred every ten.
     */
    static final int MOST = 40;

    private final RouteLedger routes;
    private final CutoverEngine engine;
    private String last = "";

    public FenceSweeper(RouteLedger routes, CutoverEngine engine) {
        this.routes = routes;
        this.engine = engine;
    }

    /** One pass, over the next {@value #MOST} in turn; a server that cannot be reached is logged and left for its next turn. One thread's. */
    public void sweep() {
        for (Routes row : turn(routes.attached(), last)) {
            last = row.migration();
            try {
                check(row);
            } catch (RuntimeException e) {
                LOGGER.atWarn()
                        .addKeyValue("migration", row.migration())
                        .addKeyValue("problem", e.getMessage())
                        .log("cannot check the fences");
            }
        }
    }

    /** Those whose ids come after {@code last}, then those from the beginning, {@value #MOST} at most. */
    static List<Routes> turn(List<Routes> all, String last) {
        Comparator<Routes> byId = Comparator.comparing(Routes::migration);
        return Stream.concat(
                        all.stream()
                                .filter(row -> row.migration().compareTo(last) > 0)
                                .sorted(byId),
                        all.stream()
                                .filter(row -> row.migration().compareTo(last) <= 0)
                                .sorted(byId))
                .limit(MOST)
                .toList();
    }

    private void check(Routes row) {
        String standby = row.standby();
        if (standby == null) {
            return;
        }
        try (CutoverEngine.Session session = engine.open(row.migration(), row.active(), standby, Others.LEAVE)) {
            boolean mine = unchanged(row);
            if (mine) {
                session.lookAtRules();
            }
            if (mine && session.finishRestore()) {
                LOGGER.atInfo()
                        .addKeyValue("migration", row.migration())
                        .addKeyValue("endpoint", standby)
                        .log("the standby is back; what an abort had to leave is restored");
            }
            boolean standbyOpen = !session.fenced(Side.TO);
            boolean activeFenced = session.fenced(Side.FROM);
            if (!standbyOpen && !activeFenced || !unchanged(row)) {
                return;
            }
            LOGGER.atError()
                    .addKeyValue("migration", row.migration())
                    .addKeyValue("epoch", row.epoch())
                    .addKeyValue("standby_open", standbyOpen)
                    .addKeyValue("active_fenced", activeFenced)
                    .log("a fence was not as the route demands; mending it");
            if (standbyOpen) {
                session.fenceStandby();
            }
            if (activeFenced && unchanged(row)) {
                session.unfence(Side.FROM);
            }
            if (unchanged(row)) {
                session.persist();
            }
        }
    }

    private boolean unchanged(Routes row) {
        Optional<Routes> now = routes.read(row.migration());
        return now.isPresent()
                && now.get().epoch() == row.epoch()
                && now.get().attempt() == row.attempt()
                && now.get().standby() != null
                && now.get().state() == RouteState.STABLE;
    }
}
