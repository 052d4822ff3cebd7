package dev.eden.api.trace;

import io.opentelemetry.sdk.trace.IdGenerator;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/** Ids at random, as ever, but of a span that others hang under before it is made: its id is known then. */
final class SpanIds implements IdGenerator {
    private static final int BYTES = 8;

    private final IdGenerator random = IdGenerator.random();
    private final ThreadLocal<@Nullable String> chosen = new ThreadLocal<>();

    /** The same wherever it is asked for. */
    static String of(String seed) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(seed.getBytes(StandardCharsets.UTF_8));
            // All zeros are no id.
            hash[0] |= 1;
            return HexFormat.of().formatHex(hash, 0, BYTES);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JVM has SHA-256", e);
        }
    }

    /** The span that is started in there gets this id. */
    void with(String id, Runnable start) {
        chosen.set(id);
        try {
            start.run();
        } finally {
            chosen.remove();
        }
    }

    @Override
    public String generateSpanId() {
        String id = chosen.get();
        return id == null ? random.generateSpanId() : id;
    }

    @Override
    public String generateTraceId() {
        return random.generateTraceId();
    }
}
