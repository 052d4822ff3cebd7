package dev.eden.api.store;

import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.Problem;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;

/** First answers by {@code (token, Idempotency-Key)}, kept for a day. */
public final class IdempotencyStore {
    private final Jdbi jdbi;

    public IdempotencyStore(Jdbi jdbi) {
        this.jdbi = jdbi;
    }

    /** The first answer. */
    public record Answer(
            int status,
            @Nullable String mediaType,
            @Nullable String body,
            @Nullable String location) {}

    /**
     * Claims the key (empty: the caller runs the request and calls {@link #answered} or {@link #forget}) or gives the first answer. A
     * claim without an answer is taken over after a minute: its server died. Where it had deleted what it should, that is the answer; what it had
     * made is given once more by {@link RequestClaim}. Throws {@link Problem} for a key of another request.
     */
    public Optional<Answer> claim(UUID token, String key, String route, byte[] requestHash) {
        return jdbi.inTransaction(handle -> {
            handle.createUpdate("DELETE FROM idempotency WHERE created_at < now() - interval '1 day'")
                    .execute();
            int claimed = handle.createUpdate("""
                            INSERT INTO idempotency (key, token, route, request_hash) VALUES (:key, :token, :route, :hash)
                            ON CONFLICT (token, key) DO UPDATE SET created_at = now()
                            WHERE idempotency.status IS NULL AND idempotency.created_at < now() - interval '1 minute'
                                AND idempotency.route = EXCLUDED.route AND idempotency.request_hash = EXCLUDED.request_hash""")
                    .bind("key", key)
                    .bind("token", token)
                    .bind("route", route)
                    .bind("hash", requestHash)
                    .execute();
            if (claimed == 1) {
                return route.startsWith("DELETE ") ? deleted(handle, token, key) : Optional.empty();
            }
            return handle.createQuery("SELECT * FROM idempotency WHERE token = :token AND key = :key")
                    .bind("token", token)
                    .bind("key", key)
                    .map((row, _) -> {
                        if (!row.getString("route").equals(route)
                                || !Arrays.equals(row.getBytes("request_hash"), requestHash)) {
                            throw new Problem(
                                    ErrorCode.IDEMPOTENCY_KEY_REUSED, "this key belongs to " + row.getString("route"));
                        }
                        Integer status = row.getObject("status", Integer.class);
                        if (status == null) {
                            throw new Problem(ErrorCode.IDEMPOTENCY_IN_PROGRESS, "the first request has not ended yet");
                        }
                        return new Answer(
                                status, row.getString("media_type"), row.getString("body"), row.getString("location"));
                    })
                    .findOne();
        });
    }

    private static Optional<Answer> deleted(Handle handle, UUID token, String key) {
        int done = handle.createUpdate(
                        "UPDATE idempotency SET status = 204 WHERE token = :token AND key = :key AND effective")
                .bind("token", token)
                .bind("key", key)
                .execute();
        return done == 1 ? Optional.of(new Answer(204, null, null, null)) : Optional.empty();
    }

    public void answered(UUID token, String key, Answer answer) {
        jdbi.useHandle(handle -> handle.createUpdate("""
                        UPDATE idempotency SET status = :status, media_type = :media_type, body = :body, location = :location
                        WHERE token = :token AND key = :key""")
                .bind("status", answer.status())
                .bind("media_type", answer.mediaType())
                .bind("body", answer.body())
                .bind("location", answer.location())
                .bind("token", token)
                .bind("key", key)
                .execute());
    }

    /** The request had no lasting answer (5xx): the next one with this key runs, and knows what this one has done all the same. */
    public void forget(UUID token, String key) {
        jdbi.useTransaction(handle -> {
            for (String sql : List.of(
                    "DELETE FROM idempotency WHERE token = :token AND key = :key AND status IS NULL AND NOT effective",
                    "UPDATE idempotency SET created_at = created_at - interval '1 minute' WHERE token = :token AND key = :key AND status IS NULL")) {
                handle.createUpdate(sql).bind("token", token).bind("key", key).execute();
            }
        });
    }
}
