package dev.eden.activities.postgres;

import dev.eden.activities.store.ReplicationLedger;
import dev.eden.activities.store.RouteLedger;
import dev.eden.activities.store.Tuning;
import dev.eden.activities.store.ValidationLedger;
import dev.eden.proxy.CanaryPolicy;
import dev.eden.proxy.RouteState;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** Routes, replication and reports of one migration, without proxies: what the store promises, in memory. */
public final class MemoryStore implements RouteLedger, ReplicationLedger, ValidationLedger {
    private @Nullable Routes routes;
    private long changes;
    private long changedAt = System.nanoTime();
    private long deadlineMillis;
    private long attempts;
    private long generation;
    private boolean loaded;
    private boolean lossUntold;
    private @Nullable Progress progress;
    private ValidationLedger.@Nullable Report report;
    private final Map<Long, String> undos = new HashMap<>();
    volatile Tuning tuning = Tuning.NONE;
    int restarts;
    /** They let themselves be armed, say that their clients are at rest once they are, and nothing after that. */
    volatile List<JoinedProxy> silent = List.of();

    volatile BooleanSupplier rested = () -> false;

    @Override
    public Tuning tuning(String migration) {
        return tuning;
    }

    @Override
    public List<JoinedProxy> joined(String migration) {
        return silent;
    }

    @Override
    public synchronized Optional<Routes> read(String migration) {
        return Optional.ofNullable(routes);
    }

    @Override
    public synchronized void attach(String migration, String source, String target, List<String> interlays) {
        if (routes == null) {
            set(new Routes(migration, 0, RouteState.STABLE, 0, source, target, interlays, null));
        }
    }

    @Override
    public synchronized void detach(String migration) {
        Routes r = row();
        set(new Routes(r.migration(), r.epoch(), r.state(), r.attempt(), r.active(), null, r.interlays(), null));
    }

    @Override
    public void canary(String migration, CanaryPolicy policy, boolean ackBoth) {}

    @Override
    public synchronized Optional<Armed> arm(
            String migration, long epoch, String coordinator, String direction, int number, @Nullable String run) {
        Routes r = row();
        if (r.state() != RouteState.STABLE || r.epoch() != epoch) {
            return Optional.empty();
        }
        set(new Routes(
                r.migration(), epoch, RouteState.ARMED, ++attempts, r.active(), r.standby(), r.interlays(), r.turn()));
        return Optional.of(new Armed(attempts, silent));
    }

    @Override
    public Optional<String> resting(List<String> interlays) {
        return Optional.empty();
    }

    @Override
    public boolean closeAttempt(String migration, long epoch, int number, String run) {
        throw new UnsupportedOperationException("no coordinator is given up here");
    }

    @Override
    public void rehearse(String migration) {}

    @Override
    public synchronized boolean prepare(String migration, long epoch, long attempt, Duration deadline) {
        deadlineMillis = deadline.toMillis();
        return move(epoch, attempt, List.of(RouteState.ARMED), RouteState.PREPARED);
    }

    @Override
    public synchronized boolean commit(String migration, long epoch, long attempt, Position turn) {
        Routes r = row();
        String standby = r.standby();
        if (r.state() != RouteState.PREPARED || r.epoch() != epoch || r.attempt() != attempt || standby == null) {
            return false;
        }
        set(new Routes(
                r.migration(), epoch + 1, RouteState.COMMITTED, attempt, standby, r.active(), r.interlays(), turn));
        return true;
    }

    @Override
    public synchronized boolean stable(String migration, long epoch, long attempt) {
        return move(epoch, attempt, List.of(RouteState.COMMITTED), RouteState.STABLE);
    }

    @Override
    public synchronized boolean beginAbort(String migration, long epoch, long attempt, String reason) {
        return move(epoch, attempt, List.of(RouteState.ARMED, RouteState.PREPARED), RouteState.ABORTING);
    }

    @Override
    public synchronized boolean endAbort(String migration, long epoch, long attempt) {
        return move(epoch, attempt, List.of(RouteState.ABORTING), RouteState.STABLE);
    }

    @Override
    public synchronized void saveUndo(long attempt, String undoJson) {
        undos.put(attempt, undoJson);
    }

    @Override
    public synchronized Optional<String> undo(long attempt) {
        return Optional.ofNullable(undos.get(attempt));
    }

    @Override
    public List<Acknowledgement> acknowledgements(long attempt) {
        List<String> steps = rested.getAsBoolean() ? List.of("ARMED", "DRAINED") : List.of("ARMED");
        return silent.stream()
                .flatMap(proxy ->
                        steps.stream().map(step -> new Acknowledgement(proxy.name(), proxy.interlay(), step, "{}", 0)))
                .toList();
    }

    @Override
    public synchronized long changeMark() {
        return changes;
    }

    @Override
    public synchronized void awaitChange(long mark, Duration atMost) {
        if (changes == mark) {
            try {
                wait(Math.max(1, Math.min(silent.isEmpty() ? Long.MAX_VALUE : 20, atMost.toMillis())));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public void saveReport(long attempt, String outcome, String reportJson) {}

    @Override
    public void saveReportOfLost(long attempt, String outcome, String reportJson) {}

    @Override
    public List<Untold> untold(Duration rested) {
        return List.of();
    }

    @Override
    public synchronized List<Unsettled> unsettled() {
        Routes r = routes;
        return r == null || r.state() == RouteState.STABLE
                ? List.of()
                : List.of(new Unsettled(r, (System.nanoTime() - changedAt) / 1_000_000, deadlineMillis));
    }

    @Override
    public synchronized List<Routes> attached() {
        Routes r = routes;
        return r == null || r.state() != RouteState.STABLE || r.standby() == null ? List.of() : List.of(r);
    }

    @Override
    public List<Reported> traffic(String migration) {
        return List.of();
    }

    @Override
    public synchronized Direction current(String migration) {
        Routes r = row();
        Position turn = r.turn();
        return new Direction(
                r.active(),
                String.valueOf(r.standby()),
                r.epoch(),
                generation,
                turn == null ? null : turn.replid(),
                turn == null ? 0 : turn.offset(),
                loaded || turn != null,
                r.state() != RouteState.STABLE);
    }

    @Override
    public synchronized OptionalLong nextGeneration(String migration, long epoch) {
        Routes r = row();
        return r.state() == RouteState.STABLE && r.epoch() == epoch
                ? OptionalLong.of(++generation)
                : OptionalLong.empty();
    }

    @Override
    public synchronized void loaded(String migration, long epoch, long generation, String replid, long offset) {
        loaded |= this.generation == generation;
    }

    @Override
    public synchronized void restartLoad(String migration, long epoch, long generation) {
        if (this.generation == generation) {
            lossUntold |= loaded;
            loaded = false;
            restarts++;
        }
    }

    @Override
    public synchronized boolean lossUntold(String migration) {
        return lossUntold && !loaded;
    }

    @Override
    public synchronized void lossTold(String migration) {
        lossUntold = false;
    }

    @Override
    public synchronized void progress(String migration, Progress reported) {
        progress = reported;
    }

    @Override
    public synchronized Optional<Progress> progress(String migration) {
        return Optional.ofNullable(progress);
    }

    @Override
    public synchronized void save(ValidationLedger.Report saved) {
        report = saved;
    }

    @Override
    public synchronized Optional<ValidationLedger.Report> latest(String migration) {
        return Optional.ofNullable(report);
    }

    synchronized long generation() {
        return generation;
    }

    private Routes row() {
        Routes r = routes;
        if (r == null) {
            throw new IllegalStateException("no routes");
        }
        return r;
    }

    private boolean move(long epoch, long attempt, List<RouteState> from, RouteState to) {
        Routes r = row();
        if (r.epoch() != epoch || r.attempt() != attempt || !from.contains(r.state())) {
            return false;
        }
        set(new Routes(r.migration(), epoch, to, attempt, r.active(), r.standby(), r.interlays(), r.turn()));
        return true;
    }

    private void set(Routes next) {
        routes = next;
        changes++;
        changedAt = System.nanoTime();
        notifyAll();
    }
}
