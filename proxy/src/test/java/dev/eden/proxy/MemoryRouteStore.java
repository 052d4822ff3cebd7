package dev.eden.proxy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** One route row in memory, to drive a proxy through attempts; can be away. */
public class MemoryRouteStore implements RouteStore {
    public record Acknowledged(long attempt, Step step, String detail) {}

    private final List<CancelAnswer> answers = new CopyOnWriteArrayList<>();
    private final List<Runnable> watchers = new CopyOnWriteArrayList<>();
    public final List<Acknowledged> acknowledgements = new CopyOnWriteArrayList<>();
    public final List<TrafficReport> reports = new CopyOnWriteArrayList<>();
    public final List<String> aborts = new CopyOnWriteArrayList<>();
    public final List<String> forced = new CopyOnWriteArrayList<>();
    private volatile Route row;
    private volatile boolean away;
    public volatile boolean left;
    /** How often the proxy has joined. */
    public volatile int joins;

    public volatile InterlayUsers users = InterlayUsers.NONE;
    private volatile boolean joined;
    private volatile boolean replaced;

    public MemoryRouteStore(Route row) {
        this.row = row;
    }

    public static Route route(@Nullable Backend active, @Nullable Backend standby) {
        return new Route("test", 1, 1, RouteState.STABLE, 0, 0, active, standby, 1, null, CanaryPolicy.NONE, false);
    }

    public static Backend backend(String name, int port) {
        return new Backend(name, "127.0.0.1", port, false, null, null, null, true);
    }

    public Route row() {
        return row;
    }

    public void away(boolean value) {
        away = value;
    }

    public synchronized void change(UnaryOperator<Route> change) {
        row = change.apply(row);
        new ArrayList<>(watchers).forEach(Runnable::run);
    }

    /** What an operator does to a silent proxy, while an attempt begins that does not wait for it. */
    public synchronized void removedBeforeAttempt(long attempt) {
        joined = false;
        state(RouteState.ARMED, attempt, 0);
    }

    /** Another process joins under the proxy's name. */
    public void replaced() {
        replaced = true;
    }

    /** Next version of the row in {@code state}. */
    public void state(RouteState state, long attempt, long deadlineMillis) {
        change(r -> with(r, r.epoch(), state, attempt, deadlineMillis, r.active(), r.standby(), r.activeTag()));
    }

    public void commit() {
        change(r -> with(
                r,
                r.epoch() + 1,
                RouteState.COMMITTED,
                r.attempt(),
                0,
                r.standby(),
                r.active(),
                r.activeTag() % 15 + 1));
    }

    /** Committed and opened by others between two looks of the proxy's. */
    public synchronized void flipAtOnce() {
        commit();
        stable();
    }

    public void stable() {
        change(r -> with(r, r.epoch(), RouteState.STABLE, 0, 0, r.active(), r.standby(), r.activeTag()));
    }

    /** What attaching to a migration does where another of its interlays has moved before: the higher epoch, the same server. */
    public void joinOthers(long epoch) {
        change(r -> with(r, epoch, r.state(), r.attempt(), 0, r.active(), r.standby(), r.activeTag()));
    }

    public void canary(CanaryPolicy policy, boolean ackBoth, String appliedKey) {
        change(r -> new Route(
                r.interlay(),
                r.version() + 1,
                r.epoch(),
                r.state(),
                r.attempt(),
                r.deadlineMillis(),
                r.active(),
                r.standby(),
                r.activeTag(),
                appliedKey,
                policy,
                ackBoth));
    }

    private static Route with(
            Route r,
            long epoch,
            RouteState state,
            long attempt,
            long deadline,
            @Nullable Backend active,
            @Nullable Backend standby,
            int tag) {
        return new Route(
                r.interlay(),
                r.version() + 1,
                epoch,
                state,
                attempt,
                deadline,
                active,
                standby,
                tag,
                r.appliedKey(),
                r.canary(),
                r.ackBoth());
    }

    public boolean acknowledged(long attempt, Step step) {
        return acknowledgements.stream().anyMatch(a -> a.attempt() == attempt && a.step() == step);
    }

    private void check() {
        if (away) {
            throw new RouteStoreException("away", new IllegalStateException("the test says so"));
        }
    }

    @Override
    public synchronized Route join(ProxyIdentity proxy, String interlay) {
        check();
        joined = true;
        joins++;
        return row;
    }

    @Override
    public synchronized Route read(ProxyIdentity proxy, String interlay) {
        check();
        if (!joined || replaced) {
            throw new NotJoinedException(proxy.name(), interlay, replaced);
        }
        return row;
    }

    @Override
    public InterlayUsers users(String interlay) {
        check();
        return users;
    }

    @Override
    public void acknowledge(ProxyIdentity proxy, String interlay, long attempt, Step step, String detail) {
        check();
        acknowledgements.add(new Acknowledged(attempt, step, detail));
    }

    @Override
    public synchronized boolean abort(String interlay, long epoch, long attempt, String reason) {
        check();
        Route r = row;
        if (r.state() != RouteState.PREPARED || r.epoch() != epoch || r.attempt() != attempt) {
            return false;
        }
        aborts.add(reason);
        state(RouteState.ABORTING, attempt, 0);
        return true;
    }

    @Override
    public void report(ProxyIdentity proxy, String interlay, TrafficReport report, boolean serving) {
        check();
        reports.add(report);
    }

    @Override
    public void forced(ProxyIdentity proxy, String interlay, ForcedOpening opening, String outcome) {
        check();
        forced.add(opening.actor() + ": " + outcome);
    }

    @Override
    public void leave(ProxyIdentity proxy, String interlay) {
        check();
        left = true;
    }

    @Override
    public void cancel(String interlay, CancelKey key) {
        AtomicBoolean taken = new AtomicBoolean();
        for (CancelAnswer answer : answers) {
            if (answer.cancel(key, () -> taken.compareAndSet(false, true))) {
                return;
            }
        }
    }

    @Override
    public Subscription cancels(String interlay, CancelAnswer answer) {
        answers.add(answer);
        return () -> answers.remove(answer);
    }

    @Override
    public Subscription watch(String interlay, Runnable onChange) {
        watchers.add(onChange);
        return () -> watchers.remove(onChange);
    }
}
