package dev.eden.api.temporal;

import dev.eden.workflows.MigrationView;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/**
 * What workflows say of themselves, for whoever watches: one question to each at a time however many watch, and a watcher waits for it a few
 * milliseconds only where what the workflow said last is hardly old and of the revision that the directory has. A command or a step of the workflow
 * makes a new revision: what was said before is not told after it. Thread-safe.
 */
public final class LiveViews {
    private static final long PATIENCE_MILLIS = 20;
    private static final int MANY = 1_024;
    private static final long USABLE_NANOS = Duration.ofSeconds(5).toNanos();

    private final Function<String, Optional<MigrationView>> ask;
    private final ConcurrentHashMap<String, Seen> seen = new ConcurrentHashMap<>();
    private final ConcurrentHashMap<String, CompletableFuture<Optional<Seen>>> asking = new ConcurrentHashMap<>();

    /** @param revision that the directory had before the question; {@code atNanos} of the answer */
    private record Seen(MigrationView view, long revision, long atNanos) {}

    /** @param ageMillis since the workflow said so; 0 where it was asked now */
    public record Live(MigrationView view, long ageMillis) {}

    /** {@code ask}: empty where the workflow does not answer in time. */
    public LiveViews(Function<String, Optional<MigrationView>> ask) {
        this.ask = ask;
    }

    /** Empty where the workflow does not answer: the directory's last record serves then. */
    public Optional<Live> of(String migration, long revision) {
        CompletableFuture<Optional<Seen>> answer = asking.computeIfAbsent(migration, id -> begin(id, revision));
        Seen last = seen.get(migration);
        boolean usable =
                last != null && last.revision() == revision && System.nanoTime() - last.atNanos() < USABLE_NANOS;
        try {
            Optional<Seen> now = usable ? answer.get(PATIENCE_MILLIS, TimeUnit.MILLISECONDS) : answer.get();
            if (now.isPresent() && now.get().revision() >= revision) {
                return now.map(one -> new Live(one.view(), 0));
            }
            // Asked before what made this revision: ask once more.
            return now.isEmpty() ? Optional.empty() : ask.apply(migration).map(view -> new Live(view, 0));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        } catch (TimeoutException e) {
            return last == null
                    ? Optional.empty()
                    : Optional.of(new Live(last.view(), Math.max(1, (System.nanoTime() - last.atNanos()) / 1_000_000)));
        } catch (ExecutionException e) {
            return Optional.empty();
        }
    }

    private CompletableFuture<Optional<Seen>> begin(String migration, long revision) {
        if (seen.size() > MANY) {
            seen.values().removeIf(old -> System.nanoTime() - old.atNanos() > USABLE_NANOS);
        }
        CompletableFuture<Optional<Seen>> answer = new CompletableFuture<>();
        Thread.ofVirtual().name("view-" + migration).start(() -> {
            Optional<Seen> said = Optional.empty();
            try {
                said = ask.apply(migration).map(view -> new Seen(view, revision, System.nanoTime()));
                said.ifPresentOrElse(one -> seen.put(migration, one), () -> seen.remove(migration));
            } finally {
                asking.remove(migration);
                answer.complete(said);
            }
        });
        return answer;
    }
}
