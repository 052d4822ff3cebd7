package dev.eden.activities.cutover;

import dev.eden.activities.store.RouteLedger.Position;
import dev.eden.workflows.MigrationSpec;
import java.time.Duration;
import java.util.List;
import java.util.Set;

/** What the cutover protocol needs from one kind of database. */
public interface CutoverEngine {

    /** {@code redis} or {@code postgres}. */
    String name();

    /**
     * Opens control sessions on both servers. Whoever acts on a server connects first and reads the route row afterwards, so a
     * session that is older than the row it acts on can be ended by the next that {@linkplain Others#END ends others}.
     */
    Session open(String migration, String from, String to, Others others);

    /**
     * Opens a control session on {@code from} alone, to settle an attempt: the standby may be gone for good.
     */
    ActiveSide openActive(String migration, String from, String to, Others others);

    /** What happens to control sessions that an earlier attempt or settler may have left. */
    enum Others {
        END,
        LEAVE
    }

    /** {@code FROM} owns writes when the session is opened, {@code TO} is the standby. */
    enum Side {
        FROM,
        TO
    }

    /** A hold on the owner of writes alone. Not thread-safe. */
    interface ActiveSide extends AutoCloseable {

        /**
         * Abort: ends {@code FROM}'s session named in {@code undo} and gives back what the fence took; what remains to be done on the standby is
         * recorded for {@link Session#finishRestore} and is a blocker until then. Idempotent; harmless if the fence never began.
         */
        void restore(String undo);

        /** {@code FROM} serves its users. Idempotent. */
        void unfence();

        @Override
        void close();
    }

    /** A hold on the two servers. Not thread-safe. Every method may throw; the caller then aborts or settles. */
    interface Session extends AutoCloseable {

        /**
         * Step 0, the part that concerns the servers; empty when a flip may be tried.
         *
         * @param spec which side is which, how long clients may be held, and what then
         */
        List<String> blockers(MigrationSpec spec);

        /**
         * Before an attempt is armed: who came to {@code FROM} since its users were copied, or got another password, becomes the same on {@code TO}.
         * Answers what could not be done and stands in the way, in words. Idempotent.
         */
        default List<String> followLogins() {
            return List.of();
        }

        /** What may keep clients on {@code FROM} from coming to rest, the oldest first, in words. */
        default List<String> stragglers() {
            return List.of();
        }

        /** Ends what {@link #stragglers} names, where the server has a way, and answers what that was. */
        default List<String> endStragglers() {
            return List.of();
        }

        /** Walks the ways of steps 6 and 7 without an attempt, so that the first time under the pause is not the first time. Changes nothing. */
        void rehearse();

        /** When all proxies are armed, a moment before the hold: what makes the way through it shorter. Changes nothing that an undo would need to know. */
        default void approach() {}

        /** What an undo needs: the control sessions' ids and everything {@link #fence} will change. Secret; stored encrypted before the fence. */
        String undo();

        /**
         * Before an attempt is armed: from now on the proxies, and nobody else, can log clients' users in at {@code TO}, ahead of the flip. False where
         * the server cannot tell them from others; then its fence is as it was.
         */
        default boolean admitProxies(long epoch) {
            return false;
        }

        /** Ends {@link #admitProxies}: the fence is whole again, and only these sessions of users' are left behind it. Idempotent. */
        default void shutOut(Set<Integer> sessions) {}

        /**
         * While the proxies drain: what {@link #fence} may begin with already, because it concerns nobody who is inside. Only after {@link #undo}, like the
         * fence itself, which is whole with {@link #fence} alone.
         */
        default void beginFence() {}

        /**
         * Before {@link #fence}: the sessions on {@code FROM} that the proxies have said they hold at rest, by the server's process ids. They may
         * outlive the fence, nothing of them being on its way; the proxies end them when the row is COMMITTED.
         */
        default void resting(Set<Integer> sessions) {}

        /** Step 5: nobody but Eden reads or writes {@code FROM} any more; {@code guard} bounds the part that ends by itself. */
        void fence(Duration guard);

        /** Step 6, first half: the log position of {@code FROM}, read after the fence. */
        Position position();

        /** Step 6, second half: true once {@code TO} has applied the position; false when the time is up. */
        boolean awaitApplied(Position position, Duration atMost);

        /** Step 7: cheap equality; empty when equal. */
        List<String> verify();

        /** Step 8: takes the applier's identity away at {@code TO}, proves that no session of it is left, and returns {@code TO}'s position of now. */
        Position turn();

        /**
         * What {@link ActiveSide#restore} left: ends {@code TO}'s session named in the undo and gives the applier its identity back. True where there
         * was something to do. Idempotent; only while the row is STABLE, on a session that the next attempt will end.
         */
        boolean finishRestore();

        /** Step 10 and repair: the side serves its users again. Idempotent. */
        void unfence(Side side);

        /** True when the side refuses everybody but Eden. */
        boolean fenced(Side side);

        /** While the row is STABLE, from time to time: stores what proxies have to know of {@code FROM}'s rules. */
        default void lookAtRules() {}

        /** Puts the standby's fence back, for a server that lost it by a restart. Idempotent. */
        void fenceStandby();

        /**
         * When clients write on {@code TO}: lets its log go to {@code FROM}, without waiting for whoever looks after replication. A later route's order is
         * stronger. Idempotent.
         *
         * @param epoch of the committed route
         * @param turn what {@link #turn} returned
         */
        default void replicateBack(long epoch, Position turn) {}

        /** Ends whatever of the fence would hinder reverse replication. Idempotent. */
        void relax();

        /** Makes the fence of the one side, and the freedom of the other, outlive a restart of the server where the server has a way. Idempotent. */
        void persist();

        @Override
        void close();
    }
}
