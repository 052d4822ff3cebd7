package dev.eden.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.proxy.RedisProxyConfig.Limits;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RedisProxyConfigTest {
    /** Figures in KiB. */
    @ParameterizedTest
    @CsvSource({"98304, 1536, 49152", "1048576, 8192, 524288", "16777216, 8192, 524288", "1024, 64, 512"})
    void limitsKnowHowMuchMemoryThereIs(long memory, int output, long total) {
        Limits limits = Limits.within(memory << 10);
        assertThat(limits.outputBytes()).isEqualTo(output << 10);
        assertThat(limits.totalBytes()).isEqualTo(total << 10);
    }
}
