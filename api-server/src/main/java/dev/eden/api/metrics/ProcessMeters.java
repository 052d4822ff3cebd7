package dev.eden.api.metrics;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.netty4.NettyAllocatorMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.core.instrument.config.MeterFilterReply;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufAllocatorMetricProvider;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What the process takes: processor, memory, threads, files and disks, as Micrometer's own binders read them when somebody asks, under Eden's names.
 * What they show besides is left out: every metric is one that is documented.
 */
public final class ProcessMeters implements AutoCloseable {
    /** What the binders' names begin with. */
    private static final List<String> BOUND = List.of("jvm.", "process.", "system.", "netty.");

    private static final String COLLECTIONS = "eden_gc_pause";

    private final JvmGcMetrics collector = new JvmGcMetrics();
    /** Held here: a counter does not keep what it reads. */
    private final Optional<DiskTraffic> disks;

    /** Before anything else is registered: a filter does not reach what is there already. {@code tags}: of all of them. */
    public ProcessMeters(MeterRegistry registry, Tags tags) {
        this(registry, tags, DiskTraffic.LINUX);
    }

    ProcessMeters(MeterRegistry registry, Tags tags, Path disks) {
        this.disks = DiskTraffic.at(disks);
        registry.config().meterFilter(new Names(tags));
        // Shown before the first collection, too.
        Timer.builder(COLLECTIONS)
                .description("pauses of the garbage collector")
                .tags(tags)
                .register(registry);
        collector.bindTo(registry);
        new JvmMemoryMetrics().bindTo(registry);
        new JvmThreadMetrics().bindTo(registry);
        new ProcessorMetrics().bindTo(registry);
        new FileDescriptorMetrics().bindTo(registry);
        if (ByteBufAllocator.DEFAULT instanceof ByteBufAllocatorMetricProvider allocator) {
            new NettyAllocatorMetrics(allocator).bindTo(registry);
        }
        Gauge.builder("eden_heap_max_bytes", Runtime.getRuntime(), Runtime::maxMemory)
                .description("what the heap may grow to")
                .tags(tags)
                .register(registry);
        this.disks.ifPresent(traffic -> {
            FunctionCounter.builder("eden_disk_read_bytes_total", traffic, DiskTraffic::read)
                    .description("bytes that the process made the disks read")
                    .tags(tags)
                    .register(registry);
            FunctionCounter.builder("eden_disk_written_bytes_total", traffic, DiskTraffic::written)
                    .description("bytes that the process made the disks write")
                    .tags(tags)
                    .register(registry);
        });
    }

    @Override
    public void close() {
        collector.close();
    }

    private record Names(Tags tags) implements MeterFilter {
        @Override
        public Meter.Id map(Meter.Id id) {
            return switch (id.getName()) {
                case "process.cpu.usage" -> named(id, "eden_process_cpu_ratio");
                case "process.files.open" -> named(id, "eden_open_files");
                case "process.files.max" -> named(id, "eden_open_files_max");
                case "jvm.threads.live" -> named(id, "eden_threads");
                case "jvm.gc.pause" -> named(id, COLLECTIONS);
                case "jvm.memory.used" ->
                    pool(
                            id,
                            "heap".equals(id.getTag("area")) ? "eden_heap_bytes" : "eden_nonheap_bytes",
                            id.getTag("id"));
                case "jvm.buffer.memory.used" ->
                    "direct".equals(id.getTag("id")) ? pool(id, "eden_buffer_bytes", "direct") : id;
                case "netty.allocator.memory.used" ->
                    "direct".equals(id.getTag("memory.type")) ? pool(id, "eden_buffer_bytes", "netty") : id;
                default -> id;
            };
        }

        private Meter.Id named(Meter.Id id, String name) {
            return id.withName(name).withBaseUnit(null).replaceTags(tags);
        }

        private Meter.Id pool(Meter.Id id, String name, @Nullable String pool) {
            return id.withName(name).replaceTags(tags.and("pool", Objects.requireNonNullElse(pool, "")));
        }

        @Override
        public MeterFilterReply accept(Meter.Id id) {
            return BOUND.stream().anyMatch(id.getName()::startsWith) ? MeterFilterReply.DENY : MeterFilterReply.NEUTRAL;
        }
    }
}
