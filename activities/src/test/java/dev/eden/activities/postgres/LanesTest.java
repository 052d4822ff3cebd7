package dev.eden.activities.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Every piece is done once, on as many threads as are wanted now. */
@Timeout(60)
class LanesTest {
    private static final List<Integer> PIECES = IntStream.range(0, 100).boxed().toList();

    private final AtomicInteger wanted = new AtomicInteger(2);
    private final AtomicInteger running = new AtomicInteger();
    private final Set<Integer> done = ConcurrentHashMap.newKeySet();
    private final Semaphore turns = new Semaphore(0);

    @Test
    void lanesJoinAndLeave() {
        CompletableFuture<Void> all = CompletableFuture.runAsync(() -> Lanes.run(PIECES, wanted::get, this::work));
        await().until(() -> running.get() == 2);
        wanted.set(5);
        await().until(() -> running.get() == 5);
        wanted.set(1);
        await().until(() -> {
            turns.release(running.get() > 1 && turns.getQueueLength() == running.get() ? 1 : 0);
            return running.get() == 1;
        });
        assertThat(all).isNotDone();
        turns.release(PIECES.size());
        all.join();
        assertThat(done).containsExactlyInAnyOrderElementsOf(PIECES);
    }

    @Test
    void oneThatCannotJoinIsMissedAsLongAsAnotherWorks() {
        AtomicInteger begun = new AtomicInteger();
        CountDownLatch missed = new CountDownLatch(1);
        turns.release(PIECES.size());
        Lanes.run(PIECES, wanted::get, (Supplier<@Nullable Integer> pieces) -> {
            if (begun.getAndIncrement() == 1) {
                missed.countDown();
                throw new IllegalStateException("no room");
            }
            take(missed);
            work(pieces);
        });
        assertThat(done).hasSameSizeAs(PIECES);
        assertThatThrownBy(() -> Lanes.run(PIECES, wanted::get, _ -> {
                    throw new IllegalStateException("no room");
                }))
                .hasMessage("no room");
    }

    @Test
    void whereOneFailsTheOthersTakeNoMore() {
        CompletableFuture<Thread> failing = new CompletableFuture<>();
        CountDownLatch working = new CountDownLatch(1);
        assertThatThrownBy(() -> Lanes.run(PIECES, wanted::get, (Supplier<@Nullable Integer> pieces) -> {
                    Integer piece = pieces.get();
                    if (piece != null && piece == 0) {
                        take(working);
                        failing.complete(Thread.currentThread());
                        throw new IllegalStateException("broken");
                    }
                    working.countDown();
                    awaitEnd(failing.join());
                    work(pieces);
                }))
                .hasMessage("broken");
        assertThat(done).isEmpty();
    }

    @Test
    void anInterruptEndsAll() throws Exception {
        CompletableFuture<@Nullable Object> end = new CompletableFuture<>();
        Thread caller = Thread.ofPlatform().start(() -> {
            try {
                Lanes.run(PIECES, wanted::get, this::work);
                end.complete("done");
            } catch (RuntimeException e) {
                end.complete(e.getMessage());
            }
        });
        await().until(() -> running.get() == 2);
        caller.interrupt();
        assertThat(end.get()).isEqualTo("interrupted");
        assertThat(running).hasValue(0);
    }

    private void work(Supplier<@Nullable Integer> pieces) {
        running.incrementAndGet();
        try {
            for (Integer piece = pieces.get(); piece != null; piece = pieces.get()) {
                turns.acquire();
                done.add(piece);
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException("told to end");
        } finally {
            running.decrementAndGet();
        }
    }

    private static void awaitEnd(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void take(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
