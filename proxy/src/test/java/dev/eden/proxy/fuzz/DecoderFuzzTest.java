package dev.eden.proxy.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** A moment of what docs/fuzz.sh does for minutes. */
class DecoderFuzzTest {
    @Test
    void whateverComesIsReadOrRefused() {
        DecoderFuzz fuzz = new DecoderFuzz(Long.getLong("eden.fuzz.seed", 20_261_130L));
        fuzz.run(0, 10_000);
        assertThat(fuzz.report()).contains("postgres servers", "postgres requests", "redis replies", "length negative");
    }
}
