package dev.eden.api.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.Tags;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a process takes is shown under Eden's names, and nothing else of what Micrometer knows. */
class ProcessMetersTest {
    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);

    @Test
    void everyNameIsEdensAndCarriesWhoItIs(@TempDir Path folder) {
        try (var _ = new ProcessMeters(registry, Tags.of("proxy", "p"), folder.resolve("none"))) {
            assertThat(registry.getMeters())
                    .hasSizeGreaterThan(10)
                    .extracting(Meter::getId)
                    .allSatisfy(id -> {
                        assertThat(id.getName()).startsWith("eden_");
                        assertThat(id.getTag("proxy")).isEqualTo("p");
                    });
            assertThat(names())
                    .contains(
                            "eden_process_cpu_ratio",
                            "eden_heap_bytes",
                            "eden_heap_max_bytes",
                            "eden_nonheap_bytes",
                            "eden_buffer_bytes",
                            "eden_gc_pause_seconds",
                            "eden_gc_pause_seconds_max",
                            "eden_threads",
                            "eden_open_files",
                            "eden_open_files_max")
                    .as("a system that does not say it")
                    .doesNotContain("eden_disk_read_bytes_total");
        }
    }

    @Test
    void valuesAreThoseOfTheProcess(@TempDir Path folder) throws Exception {
        Path io = Files.writeString(folder.resolve("io"), "rchar: 9\nread_bytes: 4096\nwrite_bytes: 8192\n");
        try (var _ = new ProcessMeters(registry, Tags.empty(), io)) {
            double before = value("eden_buffer_bytes{pool=\"direct\"}");
            ByteBuffer taken = ByteBuffer.allocateDirect(1 << 20);
            assertThat(value("eden_buffer_bytes{pool=\"direct\"}") - before).isGreaterThanOrEqualTo(taken.capacity());
            assertThat(value("eden_heap_max_bytes"))
                    .isEqualTo((double) Runtime.getRuntime().maxMemory());
            assertThat(value("eden_threads")).isGreaterThan(1);
            assertThat(value("eden_disk_read_bytes_total")).isEqualTo(4096);
            assertThat(value("eden_disk_written_bytes_total")).isEqualTo(8192);
            Files.writeString(io, "rchar: 9\nread_bytes: 4097\nwrite_bytes: 8192\n");
            System.gc();
            assertThat(value("eden_disk_read_bytes_total")).isEqualTo(4097);
        }
    }

    private java.util.Set<String> names() {
        return registry.scrape()
                .lines()
                .filter(line -> line.startsWith("# TYPE "))
                .map(line -> line.split(" ")[2])
                .collect(Collectors.toSet());
    }

    private double value(String series) {
        Map<String, Double> all = registry.scrape()
                .lines()
                .filter(line -> !line.startsWith("#"))
                .collect(Collectors.toMap(
                        line -> line.substring(0, line.lastIndexOf(' ')),
                        line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1))));
        return Objects.requireNonNull(all.get(series), series);
    }
}
