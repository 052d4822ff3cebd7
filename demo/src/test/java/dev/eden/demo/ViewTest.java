package dev.eden.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import org.junit.jupiter.api.Test;

class ViewTest {

    /** Neither a rate of 0, nor 0 seconds, nor no lag. */
    @Test
    void whatIsNotKnownYetIsLeftOut() throws JsonProcessingException {
        assertThat(line("null", "0", "null")).isEqualTo("replicating, copied 10 %");
        assertThat(line("12", "40.4", "9")).isEqualTo("replicating, copied 10 % at 40 rows/s, 9 s left, lag 12 ms");
    }

    private static String line(String lag, String rate, String eta) throws JsonProcessingException {
        return View.oneLine(Status.of(JsonMapper.builder().build().readTree("""
                        {"phase": "replicating", "replication_lag_ms": %s,
                         "progress": {"keys_done": 10, "keys_total": 100, "rate": %s, "eta_seconds": %s}}""".formatted(lag, rate, eta))), "rows");
    }
}
