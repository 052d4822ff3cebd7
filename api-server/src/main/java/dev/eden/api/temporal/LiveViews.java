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
import org.jspecify.annotations.Nullable;

/**
 * What workflows say of themselves, for whoever watches: one question to each at a time and at most one a second however many watch, and nobody waits
 * longer than some milliseconds. A workflow that is slower is told as it was last heard, where that is hardly old and nothing has been recorded since, or else as the
 * directory has it: a workflow records each step and each command.
 *
 * <p>Whoever has just commanded a workflow through this server wants to see what came of it: then the answer is waited for, for some seconds after.
 * Thread-safe.
 */
public final class LiveViews {
    private static final Duration PATIENCE = Duration.ofMillis(10);
    private static final int MANY = 1_024;
    private static final Duration FRESH = Duration.ofSeconds(1);
    private static final long USABLE_NANOS = Duration.ofSeconds(5).toNanos();

    private final Function<String, Optional<MigrationView>> ask;
    private final long patienceNanos;
    private final long freshNanos;
    private final ConcurrentHashMap<String, Seen> seen = new ConcurrentHashMap<>();
    private final ConcurrentHashMap<String, Question> asking = new ConcurrentHashMap<>();
    private final ConcurrentHashMap<String, Long> commanded = new ConcurrentHashMap<>();

    /** @param revision that the directory had before the question; {@code atNanos} of the question */
    private record Seen(MigrationView view, long revision, long atNanos) {}

    private record Question(CompletableFuture<Optional<MigrationView>> answer, long revision, long atNanos) {}

    /** @param ageMillis since the workflow said so; 0 where it was asked now */
    public record Live(MigrationView view, long ageMillis) {}

    /** {@code ask}: empty where the workflow does not answer in its own time limit. */
    public LiveViews(Function<String, Optional<MigrationView>> ask) {
        this(ask, PATIENCE, FRESH);
    }

    LiveViews(Function<String, Optional<MigrationView>> ask, Duration patience, Duration fresh) {
        this.ask = ask;
        this.patienceNanos = patience.toNanos();
        this.freshNanos = fresh.toNanos();
    }

    /** A command goes to the workflow: nothing that was heard before is told any more. */
    public void commanded(String migration) {
        long now = System.nanoTime();
        if (commanded.size() > MANY) {
            commanded.values().removeIf(at -> now - at > USABLE_NANOS);
        }
        commanded.put(migration, now);
    }

    /** Empty where the workflow does not answer now: the directory's last record, of which {@code revision} is, serves then. */
    public Optional<Live> of(String migration, long revision) {
        Long command = commanded.get(migration);
        boolean waits = command != null && System.nanoTime() - command < USABLE_NANOS;
        Optional<Live> known = waits ? Optional.empty() : told(seen.get(migration), revision, freshNanos);
        if (known.isPresent()) {
            return known;
        }
        Question question = asking.computeIfAbsent(migration, id -> begin(id, revision));
        if (question.revision() < revision || command != null && question.atNanos() - command < 0) {
            // It was asked before that.
            question = begin(migration, revision);
        }
        try {
            Optional<MigrationView> now =
                    waits ? question.answer().get() : question.answer().get(patienceNanos, TimeUnit.NANOSECONDS);
            return now.map(view -> new Live(view, 0));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        } catch (TimeoutException e) {
            return told(seen.get(migration), revision, USABLE_NANOS);
        } catch (ExecutionException e) {
            return Optional.empty();
        }
    }

    private static Optional<Live> told(@Nullable Seen last, long revision, long usableNanos) {
        if (last == null || last.revision() != revision) {
            return Optional.empty();
        }
        long age = System.nanoTime() - last.atNanos();
        return age >= usableNanos ? Optional.empty() : Optional.of(new Live(last.view(), Math.max(1, age / 1_000_000)));
    }

    private Question begin(String migration, long revision) {
        if (seen.size() > MANY) {
            seen.values().removeIf(old -> System.nanoTime() - old.atNanos() > USABLE_NANOS);
        }
        Question question = new Question(new CompletableFuture<>(), revision, System.nanoTime());
        Thread.ofVirtual().name("view-" + migration).start(() -> {
            Optional<MigrationView> said = Optional.empty();
            try {
                said = ask.apply(migration);
                said.ifPresent(view -> seen.merge(
                        migration,
                        new Seen(view, revision, question.atNanos()),
                        (old, young) -> old.atNanos() - young.atNanos() > 0 ? old : young));
            } finally {
                asking.remove(migration, question);
                question.answer().complete(said);
            }
        });
        return question;
    }
}
