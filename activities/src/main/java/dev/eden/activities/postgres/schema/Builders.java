package dev.eden.activities.postgres.schema;

import dev.eden.activities.postgres.PostgresSession;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Sessions on one server that work off groups of objects side by side; a group is one session's. */
final class Builders implements AutoCloseable {
    private final List<PostgresSession> sessions = new ArrayList<>();
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

    private Builders() {}

    static Builders open(int number, Supplier<PostgresSession> session) {
        Builders builders = new Builders();
        try {
            for (int i = 0; i < number; i++) {
                builders.sessions.add(session.get());
            }
            return builders;
        } catch (RuntimeException e) {
            builders.close();
            throw e;
        }
    }

    record Group(PostgresSession session, List<SchemaObject> wanted) {}

    /** Returns when all groups are done; the first failure is thrown when every session rests again. */
    void run(Collection<List<SchemaObject>> groups, Consumer<Group> work) {
        Queue<List<SchemaObject>> left = new ConcurrentLinkedQueue<>(groups);
        List<Future<?>> running = new ArrayList<>();
        for (PostgresSession session : sessions) {
            running.add(threads.submit(() -> {
                for (List<SchemaObject> next = left.poll(); next != null; next = left.poll()) {
                    work.accept(new Group(session, next));
                }
            }));
        }
        RuntimeException failure = null;
        for (Future<?> one : running) {
            try {
                one.get();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                left.clear();
                sessions.forEach(PostgresSession::abort);
                failure = new IllegalStateException("interrupted");
            } catch (ExecutionException e) {
                left.clear();
                failure = e.getCause() instanceof RuntimeException cause
                        ? cause
                        : new IllegalStateException(e.getCause());
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    @Override
    public void close() {
        sessions.forEach(PostgresSession::close);
        threads.close();
    }
}
