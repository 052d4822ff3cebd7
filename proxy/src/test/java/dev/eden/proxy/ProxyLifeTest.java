package dev.eden.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** A start that fails leaves no name behind: it would be silent, and no attempt could start. */
class ProxyLifeTest {
    private static final ProxyIdentity IDENTITY = new ProxyIdentity("p1", "1", "127.0.0.1", "test");

    private final MemoryRouteStore store =
            new MemoryRouteStore(MemoryRouteStore.route(MemoryRouteStore.backend("source", 1), null));

    @Test
    void oneThatIsInterruptedWhileAnAttemptRunsSignsOff() {
        store.state(RouteState.PREPARED, 1, 0);
        CompletableFuture<Throwable> failed = new CompletableFuture<>();
        CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
        Thread starter = Thread.ofPlatform().start(() -> {
            try {
                start();
            } catch (RuntimeException e) {
                failed.complete(e);
                interrupted.complete(Thread.currentThread().isInterrupted());
            }
        });
        await().until(() -> store.joins == 1);

        starter.interrupt();
        assertThat(failed).succeedsWithin(java.time.Duration.ofSeconds(30));
        assertThat(interrupted.join()).as("whoever started it knows of it").isTrue();
        assertThat(store.left).isTrue();
    }

    @Test
    void oneWhoseLoopsFailSignsOff() {
        assertThatThrownBy(this::start).hasMessage("no loops");
        assertThat(store.left).isTrue();
    }

    private void start() {
        ProxyLife.start(
                IDENTITY,
                "test",
                store,
                () -> {
                    throw new IllegalStateException("no loops");
                },
                new SimpleMeterRegistry());
    }
}
