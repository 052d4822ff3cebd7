package dev.eden.api.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SharedLookTest {
    private final AtomicInteger looks = new AtomicInteger();

    @Test
    void manyWhoAskWithinAMomentShareOneLook() {
        SharedLook<Integer> shared = new SharedLook<>(Duration.ofMinutes(1), looks::incrementAndGet);
        assertThat(IntStream.range(0, 200).parallel().map(_ -> shared.get())).containsOnly(1);
        assertThat(looks).hasValue(1);
    }

    @Test
    void looksAgainWhenItIsTooOld() {
        SharedLook<Integer> shared = new SharedLook<>(Duration.ZERO, looks::incrementAndGet);
        assertThat(shared.get()).isEqualTo(1);
        assertThat(shared.get()).isEqualTo(2);
    }

    @Test
    void aLookThatFailedIsNotKept() {
        SharedLook<Integer> shared = new SharedLook<>(Duration.ofMinutes(1), () -> {
            if (looks.incrementAndGet() == 1) {
                throw new IllegalStateException("the store is away");
            }
            return looks.get();
        });
        assertThatThrownBy(shared::get).hasMessage("the store is away");
        assertThat(shared.get()).isEqualTo(2);
    }
}
